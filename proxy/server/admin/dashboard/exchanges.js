// The list of exchanges, the newest on top, with what of them is shown and what waits.

import { count, make, milliseconds, time } from "./format.js";

const KEPT = 500;
export const OUTCOMES = ["hit", "stale", "validated", "forwarded", "refused", "failed", "local"];

export class Exchanges {
  constructor({ rows, none, note, choose }) {
    this.rows = rows;
    this.none = none;
    this.note = note;
    this.choose = choose;
    this.known = new Map(); // by id, the oldest first
    this.waiting = [];
    this.missed = 0;
    this.hidden = new Set();
    this.text = "";
    this.paused = false;
    this.pointed = false;
    this.chosen = null;
    this.drawing = false;
    this.forgetting = 0;
    const body = rows.parentElement;
    body.addEventListener("pointerenter", (event) => this.point(event.pointerType === "mouse"));
    body.addEventListener("pointerleave", () => this.point(false));
    rows.addEventListener("click", (event) => this.open(event.target.closest("tr")));
    rows.addEventListener("keydown", (event) => this.walk(event));
  }

  add(exchanges) {
    this.waiting.push(...exchanges);
    if (this.waiting.length > KEPT) {
      this.lose(this.waiting.length - KEPT);
      this.waiting.splice(0, this.waiting.length - KEPT);
    }
    this.later();
  }

  // Says for a while how many are not in the list.
  lose(number) {
    this.missed += number;
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => {
      this.missed = 0;
      this.tidy();
    }, 5000);
    this.later();
  }

  pause(paused) {
    this.paused = paused;
    this.later();
  }

  point(pointed) {
    this.pointed = pointed;
    this.later();
  }

  filter(text, hidden) {
    this.text = text.trim().toLowerCase();
    this.hidden = hidden;
    const matching = [...this.known.values()].filter((exchange) => this.matches(exchange));
    this.rows.replaceChildren(...matching.reverse().map((exchange) => this.row(exchange)));
    this.tidy();
  }

  matches(exchange) {
    return !this.hidden.has(exchange.outcome) && (!this.text || exchange.text.includes(this.text));
  }

  // Draws what came since, once before the next picture.
  later() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      if (!this.paused && !this.pointed) this.take();
      this.tidy();
    });
  }

  take() {
    const fresh = this.waiting.filter((exchange) => !this.known.has(exchange.id));
    this.waiting = [];
    for (const exchange of fresh) this.known.set(exchange.id, exchange);
    const matching = fresh.filter((exchange) => this.matches(exchange));
    this.rows.prepend(...matching.reverse().map((exchange) => this.row(exchange)));
    for (const id of this.known.keys()) {
      if (this.known.size <= KEPT) break;
      this.known.delete(id);
    }
    while (this.rows.lastElementChild && !this.known.has(this.rows.lastElementChild.dataset.id)) {
      this.rows.lastElementChild.remove();
    }
  }

  tidy() {
    const empty = !this.rows.firstElementChild;
    this.none.hidden = !empty;
    if (empty && this.known.size) this.none.textContent = "None of the exchanges kept here matches the filter.";
    const said = [];
    if (this.waiting.length) {
      const why = this.paused ? "paused" : "held while you point at the list";
      said.push(`${count(this.waiting.length)} new, ${why}`);
    }
    if (this.missed) said.push(`${count(this.missed)} left out: they come faster than they can be shown`);
    const note = said.join(" · ");
    if (this.note.textContent !== note) this.note.textContent = note;
    if (!this.rows.querySelector("[tabindex='0']")) {
      this.rows.querySelector("button")?.setAttribute("tabindex", "0");
    }
  }

  row(exchange) {
    const target = make("button", { type: "button", tabindex: "-1", title: exchange.target }, exchange.target);
    const status = make("td", { class: exchange.broken ? "status bad" : "status" }, exchange.status);
    if (exchange.broken) status.title = exchange.error ?? "The client did not get all of it.";
    const tag = exchange.outcome ? make("span", { class: "tag", "data-outcome": exchange.outcome }, exchange.outcome) : null;
    const row = make(
      "tr",
      { "data-id": exchange.id },
      make("td", { class: "time" }, time(exchange.at, true)),
      make("td", { class: "method" }, exchange.method),
      make("td", { class: "target" }, target),
      status,
      make("td", { class: "outcome" }, tag),
      make("td", { class: "reason", title: exchange.reason }, exchange.reason),
      make("td", { class: "took" }, milliseconds(exchange.took)),
    );
    if (exchange.id === this.chosen) row.classList.add("chosen");
    return row;
  }

  open(row) {
    if (!row) return;
    this.mark(row.dataset.id);
    this.choose(this.known.get(row.dataset.id));
    this.reach(row.querySelector("button"));
  }

  mark(id) {
    this.chosen = id;
    for (const row of this.rows.children) row.classList.toggle("chosen", row.dataset.id === id);
  }

  // The list is one stop of the Tab key; the arrows walk within it.
  walk(event) {
    const row = event.target.closest("tr");
    const steps = {
      ArrowDown: row.nextElementSibling,
      ArrowUp: row.previousElementSibling,
      Home: this.rows.firstElementChild,
      End: this.rows.lastElementChild,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const button = steps[event.key]?.querySelector("button");
    if (!button) return;
    this.reach(button);
    button.focus();
    if (this.chosen) this.open(button.closest("tr"));
  }

  reach(button) {
    for (const other of this.rows.querySelectorAll("[tabindex='0']")) other.setAttribute("tabindex", "-1");
    button.setAttribute("tabindex", "0");
  }

  focusChosen() {
    const row = [...this.rows.children].find((candidate) => candidate.dataset.id === this.chosen);
    (row?.querySelector("button") ?? this.rows.querySelector("[tabindex='0']"))?.focus();
  }
}
