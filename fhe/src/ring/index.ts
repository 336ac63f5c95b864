export { type Polynomial, Ring } from './ring.js';
export { referencePolynomial } from './uniform.js';
