export { histogramPicture, scalePicture, type ScaleCount } from './bars.js';
export { forestPicture, type ForestLine } from './forest.js';
export { toSvg, type Picture } from './render.js';
export { survivalPicture, type Curve } from './survival.js';
