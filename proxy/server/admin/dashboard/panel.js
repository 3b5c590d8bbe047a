// The side panel: one exchange with its whole decision.

import { bytes, count, make, span, time, took } from "./format.js";

export class Panel {
  constructor(place, closed) {
    this.place = place;
    this.closed = closed;
    this.catalogue = null;
  }

  async show(exchange) {
    if (!exchange) return;
    this.exchange = exchange;
    this.draw();
    this.place.hidden = false;
    this.place.scrollTop = 0;
    if (window.matchMedia("(max-width: 900px)").matches) this.place.querySelector(".close").focus();
    if (this.catalogue) return;
    const response = await fetch("reasons");
    if (!response.ok) return;
    this.catalogue = await response.json();
    if (!this.place.hidden) this.draw();
  }

  close() {
    if (this.place.hidden) return;
    this.place.hidden = true;
    this.closed();
  }

  draw() {
    const exchange = this.exchange;
    const close = make("button", { type: "button", class: "close" }, "Close");
    close.addEventListener("click", () => this.close());
    this.place.replaceChildren(
      make("div", { class: "head" }, make("h2", { id: "panel-title" }, `${exchange.method} ${exchange.target}`.trim()), close),
      this.summary(exchange),
      ...section("Why", this.why(exchange)),
      ...section("Decision", facts(decision(exchange))),
      ...section("Upstream", facts(upstream(exchange))),
      ...section("Request", fields(exchange.request)),
      ...section("Response", fields(exchange.response)),
      ...section("Exchange", facts(whole(exchange))),
      make("p", { class: "more" }, make("a", { href: `exchanges/${encodeURIComponent(exchange.id)}` }, "The whole record as JSON")),
    );
  }

  summary(exchange) {
    return make(
      "p",
      { class: "summary" },
      exchange.outcome ? make("span", { class: "tag", "data-outcome": exchange.outcome }, exchange.outcome) : null,
      exchange.status ? make("span", {}, `status ${exchange.status}`) : null,
      exchange.took === null ? null : make("span", {}, took(exchange.took)),
      make("span", { class: "quiet" }, time(exchange.at, true)),
    );
  }

  why(exchange) {
    if (!exchange.reasons.length) return null;
    const items = exchange.reasons.map(({ slug, section: place, evidence }) => make(
      "li",
      {},
      make("span", { class: "section" }, place),
      make("span", { class: "slug" }, slug),
      make("p", {}, this.catalogue?.[slug]?.sentence ?? ""),
      evidence ? make("code", { class: "evidence" }, evidence) : null,
    ));
    return make("ol", { class: "why" }, ...items);
  }
}

function section(title, content) {
  return content ? [make("h3", {}, title), content] : [];
}

function facts(pairs) {
  const said = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (!said.length) return null;
  return make("dl", { class: "facts" }, ...said.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function fields(lines) {
  if (!lines.length) return null;
  return make("dl", { class: "facts fields" }, ...lines.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function yes(value) {
  return value === null || value === undefined ? null : value ? "yes" : "no";
}

function decision({ outcome, until, at, ttl, stored, collapsed, forward, forwardStatus }) {
  if (!outcome) return [];
  return [
    ["Changes", until === null ? "not by time alone" : `at ${time(until)}, ${span(until - at)} after the start`],
    ["Fresh for", ttl === null ? null : ttl < 0 ? `no longer, since ${span(ttl)}` : span(ttl)],
    ["Went forward", forward],
    ["Answered with", forwardStatus === null ? null : `${forwardStatus}`],
    ["Stored", yes(stored)],
    ["Collapsed", yes(collapsed)],
  ];
}

function upstream({ upstream: there }) {
  if (!there) return [];
  return [
    ["Server", there.server],
    ["Status", there.status === null ? null : `${there.status}`],
    ["Attempts", count(there.attempts)],
    ["Connection", there.reused ? "used again" : `new, in ${took(there.connect_seconds)}`],
    ["First byte", there.first_byte_seconds === null ? null : `after ${took(there.first_byte_seconds)}`],
  ];
}

function whole(exchange) {
  return [
    ["Client", exchange.client],
    ["Host", exchange.authority],
    ["Received", !exchange.received ? null : `${bytes(exchange.received)} of content`],
    ["Sent", exchange.sent === null ? null : `${bytes(exchange.sent)} of content`],
    ["First byte", exchange.firstByte === null ? null : `after ${took(exchange.firstByte)}`],
    ["Complete", exchange.complete ? null : "no, the client did not get all of it"],
    ["Error", exchange.error],
    ["Not a request", exchange.raw],
    ["Digest", exchange.digest],
    ["Id", exchange.id],
  ];
}
