import type { compile as Compile, TopLevelSpec } from 'vega-lite';

/** A picture's description in Vega-Lite. */
export type Picture = TopLevelSpec;

/**
 * Draws a picture as SVG, without a browser.
 *
 * Vega and Vega-Lite are ES modules that wait while they load, so they are imported when they are needed.
 */
export async function toSvg(picture: Picture): Promise<string> {
  const { compile } = await import('vega-lite');
  const { parse, View } = await import('vega');
  const { spec } = compile(picture, { logger: SILENT });
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

const silent = (): typeof SILENT => SILENT;
/** What Vega-Lite warns of concerns its own defaults. */
const SILENT = {
  level: (): number => 0,
  error: silent,
  warn: silent,
  info: silent,
  debug: silent,
} as unknown as NonNullable<NonNullable<Parameters<typeof Compile>[1]>['logger']>;

/** Colours that differ for all eyes. */
export const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000'];

/** The title of an axis of groups: in one line above their names. */
export function namesTitle(title: string | undefined): object {
  if (title === undefined) return { title: null };
  return {
    title,
    titleAngle: 0,
    titleAlign: 'right',
    titleAnchor: 'end',
    titleBaseline: 'bottom',
    titleX: -4,
    titleY: -6,
  };
}

/** What all pictures have: a white ground, readable sizes, colours that differ for all eyes (Okabe and Ito 2008). */
export const STYLE = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'white',
  padding: 12,
  config: {
    font: 'sans-serif',
    axis: { labelFontSize: 12, titleFontSize: 13, titleFontWeight: 'normal' as const },
    legend: {
      labelFontSize: 12,
      labelLimit: 0,
      titleFontSize: 13,
      titleFontWeight: 'normal' as const,
      titleLimit: 0,
    },
    title: { fontSize: 15, anchor: 'start' as const },
    range: { category: COLOURS },
  },
};
