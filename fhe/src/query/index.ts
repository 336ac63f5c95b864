export {
  analysisQueryShape,
  type AnalysisQuery,
  type AnalysisRequest,
  parseAnalysisQuery,
  parseQuery,
  planVariables,
  queryShape,
  type Query,
  type StatisticRequest,
} from './query.js';
