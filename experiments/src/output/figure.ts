import type { TopLevelSpec } from 'vega-lite';

/** What all figures share. */
const STYLE: TopLevelSpec['config'] = {
  background: 'white',
  font: 'sans-serif',
  axis: { labelFontSize: 11, titleFontSize: 12, gridColor: '#e5e5e5' },
  legend: { labelFontSize: 11, titleFontSize: 12 },
  title: { fontSize: 14, anchor: 'start' },
  range: { category: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] },
};

/** Renders a figure as an SVG document. */
export async function svgOf(spec: TopLevelSpec): Promise<string> {
  // Both are ES modules that await at their top level.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const { spec: compiled } = compile({ ...spec, config: { ...STYLE, ...spec.config } } as TopLevelSpec);
  const view = new View(parse(compiled), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
