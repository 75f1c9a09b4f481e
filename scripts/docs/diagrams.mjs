// The diagrams as SVG.
const FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\"";

function svg(width, height, { background, border }, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${FONT} font-size="14">
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${background}" stroke="${border}"/>
${content.join('\n')}
</svg>
`;
}

const text = (x, y, content, fill, { anchor = 'middle', size = 14, bold = false, mono = false } = {}) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${fill}"${bold ? ' font-weight="600"' : ''}${
    mono ? ' font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace"' : ''
  }>${content}</text>`;

/** Checkpoints, an error, its detection, and the way back to the checkpoint before the error. */
export function timeline(colours) {
  const x = (ms) => 60 + ms * 2.35;
  const y = 150;
  const checkpoints = [0, 50, 100, 150, 200, 250].map((ms) => {
    const isTarget = ms === 150;
    const isCorrupted = ms === 200;
    const colour = isTarget ? colours.green : isCorrupted ? colours.red : colours.blue;
    const label = text(x(ms), y + 34, `${ms} ms`, colours.dim, { size: 12 });
    if (ms === 250) return '';
    return `<circle cx="${x(ms)}" cy="${y}" r="9" fill="${colour}"/>${label}`;
  });
  return svg(760, 250, colours, [
    `<defs><marker id="head" markerWidth="9" markerHeight="9" refX="7" refY="4.5" orient="auto"><path d="M0,0 L9,4.5 L0,9 z" fill="${colours.green}"/></marker></defs>`,
    text(x(0) - 9, 38, 'A checkpoint every 50 ms; the VM runs from left to right', colours.text, {
      anchor: 'start',
      bold: true,
    }),
    `<line x1="${x(0)}" y1="${y}" x2="${x(225)}" y2="${y}" stroke="${colours.dim}" stroke-width="3"/>`,
    `<line x1="${x(175)}" y1="${y}" x2="${x(225)}" y2="${y}" stroke="${colours.red}" stroke-width="4"/>`,
    ...checkpoints,
    `<path d="M ${x(175)} ${y - 24} l -7 12 h 6 l -4 11 l 13 -15 h -7 l 5 -8 z" fill="${colours.red}"/>`,
    text(x(175), y - 34, 'error', colours.red, { bold: true }),
    `<line x1="${x(225)}" y1="${y - 13}" x2="${x(225)}" y2="${y + 13}" stroke="${colours.red}" stroke-width="3"/>`,
    text(x(225) + 10, y + 5, 'crash detected', colours.red, { anchor: 'start', bold: true }),
    `<path d="M ${x(225)} ${y - 18} C ${x(222)} 62, ${x(154)} 62, ${x(150)} ${y - 14}" fill="none" stroke="${colours.green}" stroke-width="3" marker-end="url(#head)"/>`,
    text(x(150) - 12, 92, 'roll back, in place', colours.green, { bold: true, anchor: 'end' }),
    text(x(150), y + 58, 'before the error:', colours.green, { size: 13, anchor: 'end' }),
    text(x(150), y + 76, 'the target', colours.green, { size: 13, anchor: 'end' }),
    text(x(200) - 20, y + 58, 'newest: already', colours.red, { size: 13, anchor: 'start' }),
    text(x(200) - 20, y + 76, 'contains the error', colours.red, { size: 13, anchor: 'start' }),
  ]);
}

/** What stands on what. */
export function layers(colours) {
  const box = (x, y, width, height, title, detail, colour) => [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${colours.panel}" stroke="${colour}" stroke-width="1.5"/>`,
    text(x + width / 2, y + (detail === '' ? height / 2 + 5 : height / 2 - 3), title, colours.text, {
      bold: true,
    }),
    ...(detail === '' ? [] : [text(x + width / 2, y + height / 2 + 16, detail, colours.dim, { size: 12 })]),
  ];
  const arrows = (y, up, down) => [
    text(200, y, `▲ ${up}`, colours.green, { size: 13 }),
    text(400, y, `▼ ${down}`, colours.blue, { size: 13 }),
  ];
  return svg(760, 380, colours, [
    ...box(24, 24, 170, 58, 'Detectors', 'what is wrong?', colours.blue),
    ...box(208, 24, 190, 58, 'Checkpoint algorithm', 'what to save ahead?', colours.blue),
    ...box(412, 24, 170, 58, 'Recovery', 'which way back?', colours.blue),
    ...arrows(106, 'events', 'operations'),
    ...box(
      24,
      120,
      558,
      52,
      'Pins and the checkpoint agent',
      'one capability of the hypervisor each: CPU, pages, signals, scheduling, output',
      colours.blue,
    ),
    ...arrows(196, 'facts', 'operations'),
    ...box(24, 210, 558, 44, 'The VirtualMachine port', '', colours.green),
    ...box(24, 286, 272, 66, 'Embedded driver', 'RISC-V guests inside the Node process', colours.yellow),
    ...box(310, 286, 272, 66, 'QEMU driver', 'unmodified Linux', colours.yellow),
    ...arrows(276, 'facts', 'operations'),
    ...box(606, 24, 130, 328, 'Kernel', '', colours.dim),
    text(671, 214, 'starts plugins,', colours.dim, { size: 12 }),
    text(671, 230, 'delivers events,', colours.dim, { size: 12 }),
    text(671, 246, 'contains failures', colours.dim, { size: 12 }),
  ]);
}
