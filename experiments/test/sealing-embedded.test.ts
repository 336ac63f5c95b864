import { sealing } from './support/sealing.js';

sealing('embedded');
