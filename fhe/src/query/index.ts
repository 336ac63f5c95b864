export { parseQuery, planVariables, queryShape, type Query, type StatisticRequest } from './query.js';
