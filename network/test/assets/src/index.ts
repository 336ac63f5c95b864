import { AssetContract } from './assets';

export const contracts = [AssetContract];
