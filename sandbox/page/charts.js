// data_visualization as inline SVG: bar, line, area and pie.

import { h, svg } from "./dom.js";

const WIDTH = 560;
const HEIGHT = 250;
const PAD = { top: 14, right: 14, bottom: 30, left: 56 };
const HUES = 12;

const compact = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 6 });

function colour(index) {
  return `var(--chart-${(index % HUES) + 1})`;
}

/** Round steps that cover the values and the zero line. */
export function ticks(lowest, highest) {
  const low = Math.min(0, lowest);
  const high = Math.max(0, highest);
  const span = high - low || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? power * 10;
  const values = [];
  for (let index = Math.floor(low / step); index <= Math.ceil(high / step - 1e-9); index += 1) values.push(index * step);
  return values.length > 1 ? values : [0, 1];
}

function labelled(node, words) {
  node.append(svg("title", {}, words));
  return node;
}

function frame(chart) {
  const categories = chart.axis_config?.categories ?? chart.series[0]?.data.map((point) => point.label) ?? [];
  const numbers = chart.series.flatMap((series) => series.data.map((point) => Number(point.value)));
  const marks = ticks(Math.min(...numbers), Math.max(...numbers));
  const low = marks[0];
  const high = marks[marks.length - 1];
  const left = PAD.left + (chart.axis_config?.y_label ? 16 : 0);
  const bottom = HEIGHT - PAD.bottom - (chart.axis_config?.x_label ? 18 : 0);
  const band = (WIDTH - left - PAD.right) / Math.max(1, categories.length);
  return {
    categories, marks, left, bottom, band,
    x: (index) => left + band * (index + 0.5),
    y: (value) => bottom - ((value - low) / (high - low)) * (bottom - PAD.top),
  };
}

function axes(chart, box) {
  const nodes = box.marks.map((mark) => [
    svg("line", { class: mark === 0 ? "axis" : "grid", x1: box.left, x2: WIDTH - PAD.right, y1: box.y(mark), y2: box.y(mark) }),
    svg("text", { class: "tick", x: box.left - 8, y: box.y(mark) + 4, "text-anchor": "end" }, compact.format(mark)),
  ]);
  const room = Math.max(4, Math.floor(box.band / 6.2));
  box.categories.forEach((name, index) => {
    const short = name.length > room ? `${name.slice(0, room - 1)}…` : name;
    nodes.push(labelled(svg("text", { class: "tick", x: box.x(index), y: box.bottom + 18, "text-anchor": "middle" }, short), name));
  });
  const { x_label: across, y_label: up } = chart.axis_config ?? {};
  if (across) nodes.push(svg("text", { class: "axis-label", x: (box.left + WIDTH) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, across));
  if (up) nodes.push(svg("text", { class: "axis-label", transform: `translate(13 ${(PAD.top + box.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, up));
  return nodes;
}

function pointsOf(series, box) {
  return box.categories.map((name, index) => {
    const point = series.data.find((one) => one.label === name);
    return point ? { name, value: Number(point.value), x: box.x(index), y: box.y(Number(point.value)) } : null;
  }).filter(Boolean);
}

function bars(chart, box) {
  const width = Math.min(44, (box.band * 0.76) / chart.series.length);
  return chart.series.map((series, order) => pointsOf(series, box).map((point) => {
    const x = point.x + (order - chart.series.length / 2) * width;
    const top = Math.min(point.y, box.y(0));
    const height = Math.max(1, Math.abs(box.y(0) - point.y));
    const bar = svg("rect", { x: x + 1, y: top, width: Math.max(1, width - 2), height, rx: Math.min(3, width / 4), fill: colour(order) });
    return labelled(bar, `${series.name}, ${point.name}: ${exact.format(point.value)}`);
  }));
}

function lines(chart, box, filled) {
  return chart.series.map((series, order) => {
    const points = pointsOf(series, box);
    const path = points.map((point, index) => `${index ? "L" : "M"}${point.x} ${point.y}`).join("");
    const base = box.y(0);
    const area = filled && points.length
      ? svg("path", { d: `${path}L${points[points.length - 1].x} ${base}L${points[0].x} ${base}Z`, fill: colour(order), class: "area" }) : null;
    return [area, svg("path", { d: path, class: "line", stroke: colour(order) }), points.map((point) => labelled(
      svg("circle", { cx: point.x, cy: point.y, r: 3.5, fill: colour(order) }), `${series.name}, ${point.name}: ${exact.format(point.value)}`))];
  });
}

function slice(from, to, radius, inner) {
  const point = (turn, distance) => `${Math.sin(turn * 2 * Math.PI) * distance} ${-Math.cos(turn * 2 * Math.PI) * distance}`;
  const large = to - from > 0.5 ? 1 : 0;
  const end = to - from >= 1 ? to - 1e-5 : to;
  return `M${point(from, radius)}A${radius} ${radius} 0 ${large} 1 ${point(end, radius)}L${point(end, inner)}A${inner} ${inner} 0 ${large} 0 ${point(from, inner)}Z`;
}

function pie(chart) {
  const total = chart.segments.reduce((sum, segment) => sum + Number(segment.value), 0) || 1;
  let turn = 0;
  const slices = chart.segments.map((segment, order) => {
    const share = Number(segment.value) / total;
    const node = svg("path", { d: slice(turn, turn + share, 100, 58), fill: colour(order), class: "slice" });
    turn += share;
    return labelled(node, `${segment.label}: ${exact.format(segment.value)} (${(share * 100).toFixed(1)} %)`);
  });
  return svg("svg", { viewBox: "-110 -110 220 220", class: "chart-pie", role: "img", "aria-label": summary(chart) }, slices);
}

function summary(chart) {
  if (chart.type === "pie") return chart.segments.map((segment) => `${segment.label} ${exact.format(segment.value)}`).join(", ");
  return chart.series.map((series) => `${series.name}: ${series.data.map((point) => `${point.label} ${exact.format(point.value)}`).join(", ")}`).join("; ");
}

function legend(names) {
  return h("ul", { class: "chart-legend" }, names.map(({ name, value }, order) => h("li", {},
    h("i", { style: { background: colour(order) } }), h("span", {}, name), value === undefined ? null : h("b", {}, exact.format(value)))));
}

export function dataVisualization(block) {
  const chart = block.chart ?? {};
  const figure = h("figure", { class: "chart" }, h("figcaption", {}, block.title ?? ""));
  if (chart.type === "pie" && chart.segments?.length) {
    const names = chart.segments.map((segment) => ({ name: segment.label, value: segment.value }));
    figure.append(h("div", { class: "chart-with-legend" }, pie(chart), legend(names)));
  } else if (chart.series?.length) {
    const box = frame(chart);
    const marks = chart.type === "bar" ? bars(chart, box) : lines(chart, box, chart.type === "area");
    figure.append(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart-plot", role: "img", "aria-label": summary(chart) }, axes(chart, box), marks));
    if (chart.series.length > 1) figure.append(legend(chart.series.map((series) => ({ name: series.name }))));
  } else {
    figure.append(h("p", { class: "muted" }, `Nothing to draw in a chart of type ${chart.type ?? "unknown"}.`));
  }
  return figure;
}
