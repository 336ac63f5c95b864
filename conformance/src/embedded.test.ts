import { conformance } from './conformance.js';

conformance('embedded');
