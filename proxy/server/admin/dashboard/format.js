// How numbers, durations and elements are made. Text from exchanges only ever becomes text nodes.

const SVG = "http://www.w3.org/2000/svg";
const whole = new Intl.NumberFormat("en");
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function show(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

export function count(value) {
  if (value < 10000) return whole.format(value);
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return `${one.format(value / size)}${unit}`;
  }
  return whole.format(value);
}

export function rate(value) {
  return value < 10 ? one.format(value) : count(Math.round(value));
}

export function bytes(value) {
  for (const [size, unit] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (value >= size) return `${one.format(value / size)} ${unit}`;
  }
  return `${whole.format(value)} B`;
}

export function percent(part, total) {
  if (!total) return "–";
  const value = (100 * part) / total;
  return value > 99.9 && value < 100 ? "99.9" : one.format(value);
}

// A duration in seconds as [number, unit].
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return ["–", ""];
  if (seconds >= 1) return [one.format(seconds), "s"];
  if (seconds >= 0.001) return [seconds >= 0.1 ? whole.format(Math.round(seconds * 1000)) : one.format(seconds * 1000), "ms"];
  return [whole.format(Math.round(seconds * 1e6)), "µs"];
}

export function took(seconds) {
  return duration(seconds).join(" ").trim();
}

export function milliseconds(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const value = seconds * 1000;
  return value.toFixed(value < 1 ? 3 : value < 100 ? 1 : 0);
}

export function span(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let left = Math.round(Math.abs(seconds));
  const said = [];
  for (const [size, unit] of parts) {
    if (left >= size && said.length < 2) {
      said.push(`${whole.format(Math.floor(left / size))} ${unit}`);
      left %= size;
    }
  }
  return said.join(" ") || "0 s";
}

export function time(seconds, fraction = false) {
  const at = new Date(seconds * 1000);
  return fraction ? `${clock.format(at)}.${String(at.getMilliseconds()).padStart(3, "0")}` : clock.format(at);
}
