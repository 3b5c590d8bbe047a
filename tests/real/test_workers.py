"""Several processes on one port: killed, hung, replaced, and told things, while clients are served."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.real.crew import Crew, counting, crew, gone, until
from tests.real.running import end, free_port


async def shop(crew: Crew, number: int, times: int) -> Counter[str]:
    """What one client got, which comes over one connection as long as that holds, and over a new one then."""
    account: Counter[str] = Counter()
    async with aiohttp.ClientSession() as http:
        for turn in range(times):
            target = f"/thing{(number + turn) % 7}"
            account["sent"] += 1
            try:
                async with http.get(f"{crew.url}{target}") as answer:
                    text = await answer.text()
                    right = answer.status == 200 and text.startswith(f"{target} ")
                    account["right" if right else "wrong"] += 1
            except aiohttp.ClientError:
                account["broken off"] += 1
    return account


async def test_a_worker_is_killed_under_load_and_replaced(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=2) as proxy:
        before = proxy.processes
        shopping = [asyncio.ensure_future(shop(proxy, number, 60)) for number in range(20)]
        await until(lambda: len(proxy.running.records()) > 100)
        proxy.kill(before[0])
        await until(lambda: len(proxy.processes) == 3 and before[0] not in proxy.processes)
        account = sum(await asyncio.gather(*shopping), Counter[str]())
        assert account["sent"] == 1200
        assert account["wrong"] == 0
        assert account["right"] + account["broken off"] == 1200
        assert account["broken off"] <= 20  # what was under way or waiting at that moment, once for each
        assert {status for status, _ in await proxy.get_often("/thing1", 20)} == {200}
        whole = [json.loads(line) for line in (proxy.running.log or Path()).read_text().splitlines()]
        assert len({record["id"] for record in whole}) == len(whole)


async def test_what_was_counted_by_a_worker_that_died_stays(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=2) as proxy:
        await proxy.get_often("/a", 30)
        figures = await proxy.figures()
        assert figures["exchanges"]["total"] == 30
        *workers, desk = proxy.processes
        for process in (workers[0], desk):
            proxy.kill(process)
            await until(lambda process=process: process not in proxy.processes and len(proxy.processes) == 3)
        await until_answered(proxy)
        figures = await proxy.figures()
        assert figures["exchanges"]["total"] == 30
        await proxy.get_often("/a", 10)
        assert (await proxy.figures())["exchanges"]["total"] == 40


async def until_answered(proxy: Crew) -> None:
    """Until somebody serves the admin address, with all workers within reach."""
    async with asyncio.timeout(30):
        while True:
            try:
                figures = await proxy.figures()
            except aiohttp.ClientError:
                continue
            if [one["state"] for one in figures["workers"]] == ["well", "well"]:  # type: ignore[index]
                return


async def test_a_worker_that_hangs_holds_up_no_page(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=2) as proxy:
        await proxy.get_often("/a", 10)
        await proxy.figures()
        stopped = proxy.processes[0]
        proxy.kill(stopped, signal.SIGSTOP)
        try:
            figures = await proxy.figures()
            assert [one["state"] for one in figures["workers"]] == ["silent", "well"]  # type: ignore[index]
            assert figures["exchanges"]["total"] == 10
        finally:
            proxy.kill(stopped, signal.SIGCONT)
        await until_answered(proxy)


async def test_others_serve_for_one_that_hangs(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=2) as proxy:
        stopped = proxy.processes[0]
        proxy.kill(stopped, signal.SIGSTOP)
        try:
            answers = await asyncio.gather(*(proxy.get(f"/a{number % 5}") for number in range(30)))
            assert {status for status, _ in answers} == {200}
            assert stopped in proxy.processes
        finally:
            proxy.kill(stopped, signal.SIGCONT)
        await until_answered(proxy)
        assert {status for status, _ in await proxy.get_often("/a", 30)} == {200}
        assert stopped in proxy.processes


async def test_others_serve_for_one_that_is_leaving(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=2) as proxy:
        slow = [asyncio.ensure_future(proxy.get(f"/slow{number}?slow=60")) for number in range(20)]
        await until(lambda: len(origin.asked) == 20)
        leaving = proxy.processes[0]
        proxy.kill(leaving, signal.SIGTERM)
        answers = await asyncio.gather(*(proxy.get(f"/a{number % 5}") for number in range(30)))
        assert {status for status, _ in answers} == {200}
        assert leaving in proxy.processes
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        for process in proxy.processes:  # nobody is to wait for what is under way
            proxy.kill(process)


async def test_the_workers_end_with_their_parent(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=3) as proxy:
        processes = proxy.processes
        assert len(processes) == 4
        proxy.running.process.kill()
        await proxy.running.process.wait()
        await until(lambda: all(gone(process) for process in processes))


async def test_whoever_gathers_ends_without_one_that_hangs(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, "--set", "server.grace=100ms") as proxy:
        *workers, gatherer = proxy.processes
        proxy.kill(workers[0], signal.SIGSTOP)
        try:
            proxy.running.process.kill()
            await until(lambda: gone(workers[1]) and gone(gatherer))
            assert not gone(workers[0])
        finally:
            proxy.kill(workers[0], signal.SIGCONT)
        await until(lambda: gone(workers[0]))


async def test_what_is_under_way_is_finished_and_a_second_signal_hurries(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=2) as proxy:
        slow = [asyncio.ensure_future(proxy.get(f"/slow{n}?slow=0.5")) for n in range(6)]
        await until(lambda: len(origin.asked) == 6)
        proxy.running.process.terminate()
        assert [status for status, _ in await asyncio.gather(*slow)] == [200] * 6
        assert await proxy.running.process.wait() == 0
    async with counting() as origin, crew(origin, tmp_path, workers=2) as proxy:
        never = asyncio.ensure_future(proxy.get("/never?slow=60"))
        await until(lambda: len(origin.asked) == 1)
        proxy.running.process.terminate()
        await asyncio.sleep(0.1)
        proxy.running.process.terminate()
        with pytest.raises(aiohttp.ClientError):
            await never
        assert await proxy.running.process.wait() == 0


async def test_a_thousand_at_once_cause_one_request_to_the_origin(tmp_path: Path) -> None:
    store = ("--store", f"disk:{tmp_path / 'cache'}")
    async with counting() as origin, crew(origin, tmp_path, *store, workers=3) as proxy:
        answers = await asyncio.gather(*(proxy.get("/cold?slow=0.3&size=3000") for _ in range(1000)))
        assert {status for status, _ in answers} == {200}
        assert {len(text) for _, text in answers} == {3000}
        assert origin.asked == {"/cold": 1}


async def test_who_fetches_is_killed_and_the_next_one_fetches(tmp_path: Path) -> None:
    store = ("--store", f"disk:{tmp_path / 'cache'}")
    async with counting() as origin, crew(origin, tmp_path, *store, workers=2) as proxy:
        asking = [asyncio.ensure_future(proxy.get("/cold?slow=0.5")) for _ in range(40)]
        await until(lambda: origin.asked["/cold"] == 1)
        holder = next(process for process in proxy.processes[:2] if connected(process, origin.port))
        proxy.kill(holder)
        answers = await asyncio.gather(*asking, return_exceptions=True)
        whole = [answer for answer in answers if not isinstance(answer, BaseException)]
        assert whole
        assert set(whole) == {(200, "/cold 0 ")}
        assert origin.asked == {"/cold": 2}


def connected(process: int, port: int) -> bool:
    """Whether a process has a connection from that port of loopback."""
    inodes = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        try:
            inodes.add(os.readlink(file).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[9] in inodes and int(row[1].partition(":")[2], 16) == port for row in rows)


@pytest.mark.parametrize("store", ["memory", "disk"])
async def test_what_one_worker_has_invalidated_no_other_serves(tmp_path: Path, store: str) -> None:
    where = ("--store", store if store == "memory" else f"disk:{tmp_path / 'cache'}")
    async with counting() as origin, crew(origin, tmp_path, *where, workers=3) as proxy:
        for version in range(1, 6):
            await proxy.get_often("/a", 12)
            async with proxy.http.post(f"{proxy.url}/a") as answer:
                assert answer.status == 204
            assert set(await proxy.get_often("/a", 12)) == {(200, f"/a {version} ")}


async def test_a_purge_at_the_admin_address_holds_in_all_workers(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=3) as proxy:
        await proxy.get_often("/a", 20)
        asked, origin.versions["/a"] = origin.asked["/a"], 1
        assert 1 < asked <= 3  # each worker has its own copy
        wish = {"urls": [f"{proxy.url}/a"]}
        async with proxy.http.post(f"{proxy.admin}/purge", json=wish) as answer:
            assert answer.status == 200
            assert (await answer.json())["entries"] == {"memory": asked}
        assert set(await proxy.get_often("/a", 20)) == {(200, "/a 1 ")}


async def test_the_log_of_four_workers_is_whole_and_complete(tmp_path: Path) -> None:
    async with counting() as origin, crew(origin, tmp_path, workers=4) as proxy:
        log = proxy.running.log
        assert log is not None
        accounts = await asyncio.gather(*(shop(proxy, number, 40) for number in range(16)))
        rotated = log.with_suffix(".1")
        log.rename(rotated)
        proxy.running.process.send_signal(signal.SIGHUP)
        large = {"X-Large": "x" * 8000, "X-Larger": "y" * 8000, "Cookie": "id=the same in all of them"}
        await asyncio.gather(*(proxy.get("/large", headers=large) for _ in range(60)))
        proxy.running.process.terminate()
        await proxy.running.process.wait()
        lines = [*rotated.read_text().splitlines(), *log.read_text().splitlines()]
        records = [json.loads(line) for line in lines]
        assert len({record["id"] for record in records}) == len(records) == 16 * 40 + 60
        assert sum(accounts, Counter[str]())["right"] == 16 * 40
        asked = [dict(one["request"]["fields"]) for one in records if one["request"]["target"] == "/large"]
        assert len(asked) == 60
        assert len({fields["Cookie"] for fields in asked}) == 1, "each worker hides it in another way"


async def test_the_records_on_one_pipe_are_not_mixed_up(tmp_path: Path) -> None:
    async with counting() as origin:
        port = free_port()
        arguments = ("--listen", f"127.0.0.1:{port}", "--log", "-", "--workers", "4", "--watch", "never")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "proxy", "serve", "--upstream", origin.url, *arguments),
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        try:
            assert process.stdout is not None
            assert b"listens on" in await process.stdout.readline()
            reading = asyncio.ensure_future(process.stdout.read())
            large = {"X-Large": "x" * 8000, "X-Larger": "y" * 8000}
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:

                async def get() -> int:
                    async with http.get(f"http://127.0.0.1:{port}/a", headers=large) as answer:
                        return answer.status

                assert set(await asyncio.gather(*(get() for _ in range(120)))) == {200}
        finally:
            await end(process)
        lines = (await reading).splitlines()
        assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 120
        assert process.returncode == 0


async def test_the_configuration_is_read_again(tmp_path: Path) -> None:
    config = tmp_path / "pellucid.toml"
    async with counting() as first, counting() as second, counting() as third:
        config.write_text(f'[balance]\nservers = ["{second.url}"]\n')
        settings = ("--config", str(config), "--set", "cache.stale_limit=0s")
        async with crew(first, tmp_path, *settings, workers=2) as proxy:

            async def well() -> set[str]:
                async with proxy.http.get(f"{proxy.admin}/upstreams") as answer:
                    return {
                        f"http://{one['server']}" for one in await answer.json() if one["state"] == "well"
                    }

            async def until_there_are(*urls: str) -> None:
                async with asyncio.timeout(20):
                    while await well() != set(urls):  # noqa: ASYNC110 - nothing tells
                        await asyncio.sleep(0.02)

            await until_there_are(first.url, second.url)
            config.write_text(f'[balance]\nservers = ["{second.url}", "{third.url},weight=3"]\n')
            proxy.running.process.send_signal(signal.SIGHUP)
            await until_there_are(first.url, second.url, third.url)
            killed = proxy.processes[0]
            proxy.kill(killed)
            await until(lambda: killed not in proxy.processes and len(proxy.processes) == 3)
            await asyncio.gather(*(proxy.get(f"/{n}") for n in range(60)))
            assert third.asked.total() > second.asked.total() > 0
            config.write_text("[balance]\nservers = [\n")
            proxy.running.process.send_signal(signal.SIGHUP)
            config.write_text("[balance]\nservers = []\n")
            proxy.running.process.send_signal(signal.SIGHUP)
            await until_there_are(first.url)


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("--workers", "0"), 2, "--workers"),
        (("--workers", "some"), 2, "--workers"),
        (("--workers", "2", "--log", "/no/such/folder/log"), 2, "/no/such/folder/log"),
        (("--workers", "3", "--memory", "128KiB"), 2, "64KiB of memory at least"),
    ],
)
def test_what_no_worker_can_do_is_said_once(arguments: tuple[str, ...], status: int, complaint: str) -> None:
    command = [sys.executable, "-m", "proxy", "serve", "--upstream", "http://127.0.0.1:1"]
    ended = subprocess.run(
        [*command, "--listen", "127.0.0.1:0", *arguments], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == status
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert complaint in ended.stderr


async def test_a_port_that_is_taken_is_refused_to_several_too() -> None:
    async with counting() as origin:
        listen = origin.url.removeprefix("http://")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "proxy", "serve", "--upstream", origin.url),
            *("--listen", listen, "--workers", "2"),
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert (process.returncode, errors.count(b"\n")) == (2, 1)
        assert listen.encode() in errors
