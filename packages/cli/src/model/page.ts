/** A part of a report. */
export type Section =
  | { readonly kind: 'text'; readonly heading?: string; readonly paragraphs: readonly string[] }
  | { readonly kind: 'figure'; readonly heading: string; readonly svg: string; readonly caption: string }
  | {
      readonly kind: 'table';
      readonly heading: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly caption?: string;
    };

const STYLE = `
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fff; max-width: 860px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
figure { margin: 0.6rem 0 2rem; } figcaption { margin-top: 0.9rem; } figure svg { max-width: 100%; height: auto; display: block; }
figcaption, .note { color: #555; font-size: 0.88rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.88rem; } th, td { text-align: left; padding: 0.28rem 0.7rem 0.28rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; } body { color: #ddd; background: #17191d; } figcaption, .note { color: #a8adb5; } th, td { border-color: #3a3f47; }
  figure svg { background: #fff; border-radius: 4px; }
}
`;

/** One HTML page that needs nothing from anywhere: styles and figures are in it. */
export function reportPage(title: string, sections: readonly Section[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
${sections.map(render).join('\n')}
</body>
</html>
`;
}

function render(section: Section): string {
  const heading = section.heading === undefined ? '' : `<h2>${escape(section.heading)}</h2>\n`;
  if (section.kind === 'text') {
    return heading + section.paragraphs.map((paragraph) => `<p>${escape(paragraph)}</p>`).join('\n');
  }
  if (section.kind === 'figure') {
    return `${heading}<figure>\n${section.svg}\n<figcaption>${escape(section.caption)}</figcaption>\n</figure>`;
  }
  const head = section.columns.map((column) => `<th>${escape(column)}</th>`).join('');
  const rows = section.rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  const caption = section.caption === undefined ? '' : `\n<p class="note">${escape(section.caption)}</p>`;
  const table = `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows}\n</tbody>\n</table>`;
  return `${heading}<div class="scroll">${table}</div>${caption}`;
}

function cell(text: string): string {
  const number = /^[-+]?[\d.]+(e[-+]?\d+)?( %)?$/.test(text) ? ' class="number"' : '';
  return `<td${number}>${escape(text)}</td>`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
