// The page: asks for the figures each second, listens to the exchanges, and puts both in their places.

import { Chart } from "./chart.js";
import { OUTCOMES, Exchanges } from "./exchanges.js";
import { bytes, count, duration, make, percent, rate, show, span, took } from "./format.js";
import { Panel } from "./panel.js";
import { read } from "./record.js";

const byId = (id) => document.getElementById(id);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const RATE = 10; // seconds
const MINUTE = 60;

const chart = new Chart(byId("chart"), byId("chart-at"));
const panel = new Panel(byId("panel"), () => {
  exchanges.focusChosen();
  exchanges.mark(null);
});
const exchanges = new Exchanges({
  rows: byId("rows"), none: byId("none"), note: byId("note"), choose: (exchange) => panel.show(exchange),
});
const hidden = new Set();
let connected = "waiting";

function state(change) {
  if (change) connected = change;
  const words = { waiting: "connecting", live: "live", lost: "no answer, trying again" };
  const paused = connected === "live" && exchanges.paused;
  byId("state").dataset.state = paused ? "paused" : connected;
  show("state", paused ? "paused" : words[connected]);
}

// Of the seconds that are over, the last ones.
function last(values, seconds) {
  return values.slice(-1 - seconds, -1);
}

function showFigures(figures) {
  const { seconds: series, exchanges: told, bytes: moved, storage, recent, process } = figures;
  const ran = Math.max(1, Math.min(RATE, Math.floor(figures.uptime)));
  const all = series.cache.map((value, index) => value + series.upstream[index] + series.own[index]);
  show("requests", rate(sum(last(all, ran)) / ran));
  show("requests-more", `${count(told.total)} since the start`);

  const sent = series.cache_bytes.map((value, index) => value + series.upstream_bytes[index] + series.own_bytes[index]);
  show("ratio", percent(sum(last(series.cache, MINUTE)), sum(last(all, MINUTE))));
  show("ratio-more", `${percent(sum(last(series.cache_bytes, MINUTE)), sum(last(sent, MINUTE)))} % of the bytes`);
  byId("ratio-more").title = `Since the start: ${percent(told.by_source.cache, told.total)} % of the requests, `
    + `${percent(moved.sent.cache, sum(Object.values(moved.sent)))} % of the bytes. The page shows the last minute.`;

  show("origin", rate(sum(last(series.origin, ran)) / ran));
  show("origin-more", `${count(figures.upstream.requests)} since the start`);

  const [median, unit] = duration(recent.p50);
  show("median", median);
  show("median-unit", unit);
  show("median-more", recent.p99 === null ? "none in a minute" : `99% within ${took(recent.p99)}`);

  show("store", percent(storage.bytes, storage.budget));
  byId("store-bar").value = storage.budget ? storage.bytes / storage.budget : 0;
  show("store-more", storage.entries ? `${count(storage.entries)} in ${bytes(storage.bytes)}` : "empty");
  byId("store-more").title = `${count(storage.entries)} stored responses take ${bytes(storage.bytes)} of `
    + `${bytes(storage.budget)}; ${count(storage.evicted)} had to make room, ${count(storage.expired)} were of no more use.`
    + Object.entries(storage.tiers).map(([name, tier]) => `\n${name}: ${count(tier.entries)} in ${bytes(tier.bytes)}`).join("");

  show("errors", count(sum(series.errors)));
  show("errors-more", `${count(figures.in_flight)} in flight · ${count(figures.connections)} open`);
  byId("errors-more").title = "Exchanges that go on now, and open connections of clients.";

  const about = [figures.version, `up ${span(figures.uptime)}`];
  if (process.rss !== null) about.push(bytes(process.rss));
  if (figures.log.lost) about.push(`${count(figures.log.lost)} log lines lost`);
  show("about", about.join(" · "));
  chart.show(series);
}

async function ask() {
  try {
    const response = await fetch("figures", { signal: AbortSignal.timeout(5000) });
    if (response.ok) showFigures(await response.json());
  } catch {
    // the state of the event stream says that the proxy is away
  }
  setTimeout(ask, document.hidden ? 5000 : 1000);
}

// What ends while the earlier exchanges are fetched is held back until they are there, so that the order stays.
function listen() {
  const events = new EventSource("live");
  let held = [];
  events.addEventListener("open", async () => {
    state("live");
    held ??= [];
    try {
      const response = await fetch("exchanges?limit=200");
      if (response.ok) exchanges.add(lines(await response.text()));
    } finally {
      exchanges.add(held);
      held = null;
    }
  });
  events.addEventListener("exchange", (event) => {
    const exchange = read(JSON.parse(event.data));
    if (held) held.push(exchange);
    else exchanges.add([exchange]);
  });
  events.addEventListener("lost", (event) => exchanges.lose(Number(event.data)));
  events.addEventListener("error", () => {
    state("lost");
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

function lines(text) {
  return text.split("\n").filter(Boolean).map((line) => read(JSON.parse(line)));
}

function refilter() {
  exchanges.filter(byId("filter").value, hidden);
}

for (const outcome of OUTCOMES) {
  const chip = make("button", { type: "button", class: "chip", "data-outcome": outcome, "aria-pressed": "true" }, outcome);
  chip.addEventListener("click", () => {
    if (!hidden.delete(outcome)) hidden.add(outcome);
    chip.setAttribute("aria-pressed", String(!hidden.has(outcome)));
    refilter();
  });
  byId("outcomes").append(chip);
}
byId("filter").addEventListener("input", refilter);
byId("pause").addEventListener("click", () => {
  const paused = byId("pause").getAttribute("aria-pressed") !== "true";
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = paused ? "Go on" : "Pause";
  exchanges.pause(paused);
  state();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") panel.close();
});

ask();
listen();
