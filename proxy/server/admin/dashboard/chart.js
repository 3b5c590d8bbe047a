// The answers of the last five minutes, second by second, stacked by who gave them.

import { count, draw, show, time } from "./format.js";

const SOURCES = ["cache", "upstream", "own"];
const NAMES = { cache: "from the cache", upstream: "forwarded", own: "by the proxy itself" };
const HEIGHT = 100;

export class Chart {
  constructor(place, note) {
    this.place = place;
    this.note = note;
    this.series = null;
    this.pointed = null;
    place.addEventListener("pointermove", (event) => this.point(event));
    place.addEventListener("pointerleave", () => this.leave());
  }

  show(series) {
    this.series = series;
    const length = series.cache.length - 1; // the last second is not over yet
    const totals = this.totals(length);
    const top = ceiling(Math.max(...totals, 1));
    const svg = draw("svg", {
      viewBox: `0 0 ${length} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": this.summary(length),
    });
    for (const part of [0.5, 1]) {
      const y = HEIGHT * (1 - part);
      svg.append(draw("line", { x1: 0, x2: length, y1: y, y2: y, class: "grid" }));
    }
    let below = new Array(length).fill(0);
    for (const source of SOURCES) {
      const above = below.map((value, index) => value + series[source][index]);
      svg.append(draw("path", { class: source, d: area(below, above, HEIGHT / top) }));
      below = above;
    }
    svg.append(draw("line", { x1: 0, x2: length, y1: HEIGHT, y2: HEIGHT, class: "grid" }));
    this.cursor = draw("line", { y1: 0, y2: HEIGHT, class: "cursor", visibility: "hidden" });
    svg.append(this.cursor);
    this.place.replaceChildren(svg);
    show("chart-max", `${count(top)} /s`);
    this.mark();
  }

  totals(length) {
    return Array.from({ length }, (_, index) => SOURCES.reduce((sum, source) => sum + this.series[source][index], 0));
  }

  summary(length) {
    const sums = SOURCES.map((source) => {
      const sum = this.series[source].slice(0, length).reduce((a, b) => a + b, 0);
      return `${count(sum)} ${NAMES[source]}`;
    });
    return `Answers in the last five minutes: ${sums.join(", ")}`;
  }

  point(event) {
    const box = this.place.getBoundingClientRect();
    this.pointed = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.9999);
    this.mark();
  }

  leave() {
    this.pointed = null;
    this.mark();
  }

  mark() {
    if (!this.series) return;
    if (this.pointed === null) {
      this.cursor.setAttribute("visibility", "hidden");
      this.note.textContent = "";
      return;
    }
    const length = this.series.cache.length - 1;
    const index = Math.floor(this.pointed * length);
    this.cursor.setAttribute("visibility", "visible");
    this.cursor.setAttribute("x1", index + 0.5);
    this.cursor.setAttribute("x2", index + 0.5);
    const said = SOURCES.map((source) => `${count(this.series[source][index])} ${NAMES[source]}`);
    this.note.textContent = `${time(this.series.last - length + index)}: ${said.join(", ")}`;
  }
}

function area(below, above, scale) {
  const y = (value) => (HEIGHT - value * scale).toFixed(2);
  let path = `M0 ${y(above[0])}`;
  for (let x = 0; x < above.length; x += 1) path += `V${y(above[x])}H${x + 1}`;
  for (let x = below.length - 1; x >= 0; x -= 1) path += `V${y(below[x])}H${x}`;
  return `${path}Z`;
}

// The next round number, so that the scale stays still while the load changes a little.
function ceiling(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 5, 10].map((step) => step * unit).find((step) => step >= value);
}
