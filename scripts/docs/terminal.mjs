// A terminal with coloured text as SVG.
const COLUMNS = 92;
const CHARACTER = 7.8;
const LINE = 19;
const NAMED = { 31: 'red', 32: 'green', 33: 'yellow', 34: 'blue', 36: 'blue' };

/** `lines` with ANSI colours; long ones wrap below their indent. */
export function terminal(title, lines, colours) {
  const rows = [
    [
      { text: '$ ', colour: colours.dim },
      { text: title, isBold: true },
    ],
    ...lines.flatMap((line) => wrapped(spansOf(line, colours))),
  ];
  const width = Math.ceil(COLUMNS * CHARACTER) + 40;
  const height = rows.length * LINE + 68;
  const text = rows.map((spans, index) => rowOf(spans, 60 + index * LINE, colours)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${colours.background}" stroke="${colours.border}"/>
${['red', 'yellow', 'green'].map((name, index) => `<circle cx="${22 + index * 18}" cy="20" r="5.5" fill="${colours[name]}"/>`).join('\n')}
${text}
</svg>
`;
}

function rowOf(spans, y, colours) {
  let column = 0;
  const parts = spans.map(({ text, colour, isBold }) => {
    const x = 20 + column * CHARACTER;
    column += text.length;
    const bold = isBold ? ' font-weight="bold"' : '';
    // The length is given, so that the columns hold whatever font there is.
    return `<text x="${x.toFixed(1)}" y="${y}" textLength="${(text.length * CHARACTER).toFixed(1)}" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="${colour ?? colours.text}"${bold}>${escaped(text)}</text>`;
  });
  return parts.join('');
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function spansOf(line, colours) {
  const spans = [];
  let colour;
  let isBold = false;
  // eslint-disable-next-line no-control-regex
  for (const part of line.split(/(\u001b\[\d+m)/)) {
    // eslint-disable-next-line no-control-regex
    const [, code] = /^\u001b\[(\d+)m$/.exec(part) ?? [];
    if (code === undefined) {
      if (part !== '') spans.push({ text: part, colour, isBold });
      continue;
    }
    if (code === '1') isBold = true;
    else if (code === '2') colour = colours.dim;
    else if (code === '22') [isBold, colour] = [false, undefined];
    else colour = colours[NAMED[code]];
  }
  return spans;
}

function wrapped(spans) {
  const indent = /^ */.exec(spans.map(({ text }) => text).join(''))[0].length + 2;
  const rows = [[]];
  let column = 0;
  for (const span of spans)
    for (const word of span.text.split(/(?<= )/)) {
      if (column + word.trimEnd().length > COLUMNS) {
        rows.push([{ text: ' '.repeat(indent) }]);
        column = indent;
      }
      rows.at(-1).push({ ...span, text: word });
      column += word.length;
    }
  return rows.map(joined);
}

/** Neighbours of the same style become one span; spaces between styles stay with the one before. */
function joined(spans) {
  const result = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last !== undefined && last.colour === span.colour && last.isBold === span.isBold)
      last.text += span.text;
    else result.push({ ...span });
  }
  return result;
}
