/** A scenario as a picture: an SVG of three panels over one time axis. */
import type { ScaleResult } from './scale-result.ts';
import type { Sample } from './timeline.ts';

const WIDTH = 960;
const LEFT = 84;
const RIGHT = 24;
const TOP = 64;
const PANEL_HEIGHT = 170;
const GAP = 62;
const TICKS = 4;

interface Line {
  readonly label: string;
  readonly color: string;
  readonly dash?: string;
  value(sample: Sample): number;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** Colours that differ for the colour-blind, too (Okabe and Ito). */
const BLUE = '#0072b2';
const ORANGE = '#d55e00';
const GREEN = '#009e73';
const GREY = '#888888';

const PANELS: readonly Panel[] = [
  { title: 'Backlog (records)', lines: [{ label: 'backlog', color: BLUE, value: ({ backlog }) => backlog }] },
  {
    title: 'Invocations',
    lines: [
      { label: 'allowed', color: GREY, dash: '5 4', value: ({ allowed }) => allowed },
      { label: 'running', color: GREEN, value: ({ running }) => running },
    ],
  },
  {
    title: 'Store operations per second',
    lines: [
      { label: 'reads', color: BLUE, value: ({ storeReadsPerSecond }) => storeReadsPerSecond },
      { label: 'writes', color: ORANGE, value: ({ storeWritesPerSecond }) => storeWritesPerSecond },
      { label: 'conflicts', color: GREY, dash: '5 4', value: ({ conflictsPerSecond }) => conflictsPerSecond },
    ],
  },
];

export function plotOf({ scenario, notes, samples }: ScaleResult): string {
  const height = TOP + PANELS.length * (PANEL_HEIGHT + GAP);
  const endMs = Math.max(1_000, samples.at(-1)?.atMs ?? 0);
  const panels = PANELS.map((panel, index) => panelOf(panel, { samples, endMs, top: TOP + index * (PANEL_HEIGHT + GAP) + 18 }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="26" font-size="17" font-weight="600">${escaped(scenario)}</text>`,
    `<text x="${LEFT}" y="46" fill="#666">${escaped(shortened(notes[0] ?? ''))}</text>`,
    ...panels.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function panelOf(
  { title, lines }: Panel,
  { samples, endMs, top }: { readonly samples: readonly Sample[]; readonly endMs: number; readonly top: number },
): readonly string[] {
  const bottom = top + PANEL_HEIGHT;
  const step = niceStep(Math.max(1, ...lines.flatMap(({ value }) => samples.map(value))) / TICKS);
  const max = step * Math.ceil(Math.max(1, ...lines.flatMap(({ value }) => samples.map(value))) / step);
  const timeStep = Math.max(1, niceStep(endMs / 1_000 / 8));
  const x = (atMs: number): number => LEFT + (atMs / endMs) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => bottom - (value / max) * PANEL_HEIGHT;
  const grid = steps(max, step).map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y(value))}" y2="${px(y(value))}" stroke="#e4e4e4"/>` +
      `<text x="${LEFT - 8}" y="${px(y(value) + 4)}" text-anchor="end">${readable(value)}</text>`,
  );
  const seconds = steps(endMs / 1_000, timeStep).map(
    (second) =>
      `<line x1="${px(x(second * 1_000))}" x2="${px(x(second * 1_000))}" y1="${bottom}" y2="${bottom + 4}" stroke="#333"/>` +
      `<text x="${px(x(second * 1_000))}" y="${bottom + 17}" text-anchor="middle">${readable(second)}</text>`,
  );
  return [
    `<text x="${LEFT}" y="${top - 9}" font-weight="600">${escaped(title)}</text>`,
    ...legendOf(lines, top - 9),
    ...grid,
    `<path d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}" fill="none" stroke="#333"/>`,
    ...seconds,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${bottom + 32}" text-anchor="middle" fill="#666">simulated seconds</text>`,
    ...lines.map(({ color, dash, value }) => {
      const points = samples.map((sample) => `${px(x(sample.atMs))},${px(y(value(sample)))}`).join(' ');
      return `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="1.8"${dashOf(dash)}/>`;
    }),
  ];
}

/** From the right, so that titles of any length fit on the left. */
function legendOf(lines: readonly Line[], y: number): readonly string[] {
  const width = 96;
  return lines.map(({ label, color, dash }, index) => {
    const at = WIDTH - RIGHT - width * (lines.length - index);
    return (
      `<line x1="${at}" x2="${at + 22}" y1="${y - 4}" y2="${y - 4}" stroke="${color}" stroke-width="2.4"${dashOf(dash)}/>` +
      `<text x="${at + 28}" y="${y}">${escaped(label)}</text>`
    );
  });
}

function dashOf(dash: string | undefined): string {
  return dash === undefined ? '' : ` stroke-dasharray="${dash}"`;
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}

function steps(max: number, step: number): readonly number[] {
  return Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, index) => index * step);
}

function readable(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toFixed(2))}M`;
  return Number(value.toFixed(2)).toLocaleString('en-US');
}

/** Of a note, as much as fits on a line. */
const NOTE_CHARACTERS = 140;

function shortened(text: string): string {
  return text.length <= NOTE_CHARACTERS ? text : `${text.slice(0, NOTE_CHARACTERS - 1).trimEnd()}…`;
}

function px(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
