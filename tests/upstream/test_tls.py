"""Connections to `https` servers, with an authority made for the tests."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from proxy.message.errors import ConfigurationError
from proxy.upstream.address import Server
from proxy.upstream.contract import BrokenResponse, TooSlow, Unreachable, UpstreamError
from proxy.upstream.pool import Pool
from proxy.upstream.settings import UpstreamSettings

SERVER = Server("https", "origin.example", 443)
OPEN = b"HTTP/1.1 200 OK\r\n\r\nsome"


class Authority:
    """A certificate authority whose certificates stand in files."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = trustme.CA()
        self.file = str(folder / "ca.pem")
        self.ca.cert_pem.write_to_path(self.file)

    def context(self, *names, **choices):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.ca.issue_cert(*(names or ("localhost", "127.0.0.1")), **choices).configure_cert(context)
        return context

    def files(self, name):
        certificate = self.ca.issue_cert(name)
        paths = str(self.folder / "cert.pem"), str(self.folder / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(paths[0])
        certificate.private_key_pem.write_to_path(paths[1])
        return paths


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


async def failure(client) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await client.send()
    return caught.value


async def test_a_verified_server_serves_over_one_connection(kit, ok, authority):
    seen = []

    async def script(conversation):
        seen.append(conversation.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        while await conversation.request():
            await conversation.say(ok)

    origin = await kit.origin(script, tls=authority.context())
    client = kit.client(origin, tls_ca_file=authority.file)
    assert await client.fetch() == (200, b"ok")
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 1
    assert seen == ["http/1.1"]


async def test_large_content_both_ways(kit, authority):
    body = bytes(range(256)) * 8192  # 2 MiB

    async def script(conversation):
        while request := await conversation.request():
            content = request.partition(b"\r\n\r\n")[2]
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)

    origin = await kit.origin(script, tls=authority.context())
    client = kit.client(origin, tls_ca_file=authority.file)
    pieces = [body[start : start + 65536] for start in range(0, len(body), 65536)]
    length = (b"Content-Length", b"%d" % len(body))
    answer = await client.fetch(b"PUT", b"/", length, content=kit.content_of(*pieces, length=len(body)))
    assert answer == (200, body)


async def test_a_certificate_of_no_known_authority(kit, ok, authority):
    origin = await kit.origin(kit.answering(ok), tls=authority.context())
    error = await failure(kit.client(origin))
    assert isinstance(error, Unreachable)
    assert (error.token, error.status) == ("tls_certificate_error", 502)
    assert "issuer" in error.evidence
    assert origin.requests == []


async def test_a_certificate_that_has_expired(kit, ok, authority):
    tls = authority.context(
        not_before=datetime(2000, 1, 1, tzinfo=UTC), not_after=datetime(2001, 1, 1, tzinfo=UTC)
    )
    origin = await kit.origin(kit.answering(ok), tls=tls)
    error = await failure(kit.client(origin, tls_ca_file=authority.file))
    assert error.token == "tls_certificate_error"
    assert "expired" in error.evidence


async def test_a_certificate_for_another_name(kit, ok, authority):
    origin = await kit.origin(kit.answering(ok), tls=authority.context("other.example"))
    error = await failure(kit.client(origin, tls_ca_file=authority.file))
    assert error.token == "tls_certificate_error"
    assert "127.0.0.1" in error.evidence


async def test_the_name_to_look_for_can_be_set(kit, ok, authority):
    asked = []
    tls = authority.context("other.example")
    tls.sni_callback = lambda connection, name, context: asked.append(name)
    origin = await kit.origin(kit.answering(ok), tls=tls)
    client = kit.client(origin, tls_ca_file=authority.file, tls_server_name="other.example")
    assert await client.fetch() == (200, b"ok")
    assert asked == ["other.example"]


async def test_verification_can_be_switched_off(kit, ok, authority):
    origin = await kit.origin(kit.answering(ok), tls=authority.context("other.example"))
    assert await kit.client(origin, tls_verify=False).fetch() == (200, b"ok")


def demanding(authority):
    context = authority.context()
    context.verify_mode = ssl.CERT_REQUIRED
    authority.ca.configure_trust(context)
    return context


async def test_the_proxy_can_identify_itself(kit, ok, authority):
    async def script(conversation):
        subject = conversation.writer.get_extra_info("peercert")["subjectAltName"]
        assert subject == (("DNS", "proxy.example"),)
        await conversation.request()
        await conversation.say(ok)
        await conversation.closed()

    certificate, key = authority.files("proxy.example")
    origin = await kit.origin(script, tls=demanding(authority))
    client = kit.client(origin, tls_ca_file=authority.file, tls_certificate=certificate, tls_key=key)
    assert await client.fetch() == (200, b"ok")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_alert_of_the_server_is_told(kit, authority, version):
    """In TLS 1.3 it comes when the request is already under way."""
    tls = demanding(authority)
    tls.maximum_version = version

    def serve() -> None:
        accepted = listening.accept()[0]
        connection = tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        with connection, suppress(ConnectionError):
            with suppress(ssl.SSLError):
                connection.do_handshake()
            while socket.socket.recv(connection, 65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server("https", "127.0.0.1", listening.getsockname()[1])
        serving = asyncio.get_running_loop().run_in_executor(None, serve)
        error = await failure(kit.client(server, tls_ca_file=authority.file))
        await serving
    assert (error.token, error.status) == ("tls_alert_received", 502)


async def test_a_server_without_tls(kit):
    async def script(conversation):
        await conversation.reader.read(10)
        await conversation.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    origin = await kit.origin(script)
    origin.secure = True
    error = await failure(kit.client(origin))
    assert (error.token, error.status) == ("tls_protocol_error", 502)


async def test_a_server_with_tls_that_was_not_expected(kit, ok, authority):
    origin = await kit.origin(kit.answering(ok), tls=authority.context())
    origin.secure = False
    error = await failure(kit.client(origin))
    assert error.token in ("http_protocol_error", "connection_terminated")  # an alert, or it just closes


async def test_a_server_that_closes_in_the_handshake(kit):
    async def script(conversation):
        await conversation.reader.read(10)

    origin = await kit.origin(script)
    origin.secure = True
    error = await failure(kit.client(origin))
    assert error.token in ("connection_terminated", "tls_protocol_error")


async def test_a_server_that_is_silent_in_the_handshake(kit):
    async def script(conversation):
        await conversation.closed()

    origin = await kit.origin(script)
    origin.secure = True
    error = await failure(kit.client(origin, connect=0.1))
    assert isinstance(error, TooSlow)
    assert error.token == "connection_timeout"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_content_until_the_end_is_whole_only_with_a_closure_alert(authority, version, kit):
    """RFC 9112 §9.8: otherwise anybody on the path could cut it short."""
    tls = authority.context()
    tls.maximum_version = version

    def serve(properly: bool) -> None:
        connection = tls.wrap_socket(listening.accept()[0], server_side=True)
        with connection:
            connection.recv(65536)
            connection.sendall(OPEN)
            if properly:
                connection.unwrap()
            else:
                socket.socket.shutdown(connection, socket.SHUT_WR)
                connection.recv(1)

    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = kit.client(
            Server("https", "127.0.0.1", listening.getsockname()[1]), tls_ca_file=authority.file
        )
        serving = loop.run_in_executor(None, serve, True)
        assert await client.fetch() == (200, b"some")
        await serving
        serving = loop.run_in_executor(None, serve, False)
        response = await client.send()
        assert await response.read() == b"some"
        with pytest.raises(BrokenResponse):
            await response.read()
        await serving


async def test_a_tunnel_over_tls_closes_as_a_whole(kit, authority):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n")
        heard.set_result(await conversation.closed())

    heard = asyncio.get_running_loop().create_future()
    origin = await kit.origin(script, tls=authority.context())
    client = kit.client(origin, tls_ca_file=authority.file)
    tunnel = (await client.send(b"GET", b"/", (b"Connection", b"upgrade"), (b"Upgrade", b"echo"))).tunnel()
    await tunnel.write(b"hello")
    await tunnel.close_writing()
    assert await heard == b"hello"
    assert await tunnel.read() == b""


async def test_a_key_behind_a_password_is_told_at_the_start(authority, tmp_path):
    """Nobody could be asked for it."""
    key = rsa.generate_private_key(65537, 2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"secret")))
    certificate, _ = authority.files("proxy.example")
    with pytest.raises(ConfigurationError, match="protected by a password"):
        Pool(SERVER, UpstreamSettings(tls_certificate=certificate, tls_key=str(path)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tls_ca_file": "/nowhere/ca.pem"}, "certificate authorities /nowhere/ca.pem: No such file"),
        ({"tls_ca_file": __file__}, "certificate authorities .*test_tls.py"),
        ({"tls_certificate": "/nowhere/cert.pem"}, "certificate /nowhere/cert.pem: No such file"),
        ({"tls_certificate": __file__}, "certificate .*test_tls.py"),
        ({"tls_key": "/nowhere/key.pem"}, "without its certificate"),
    ],
)
async def test_files_that_cannot_be_used_are_told_at_the_start(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        Pool(SERVER, UpstreamSettings(**settings))
