declare module 'fabric-shim/lib/contract-spi/chaincodefromcontract.js' {
  /** fabric-shim's dispatcher, which the published types leave out. */
  export default class Dispatcher {
    constructor(contracts: unknown[], serializers: object, metadata: object, title: string, version: string);
    readonly metadata: {
      contracts: Record<
        string,
        {
          info: { title: string; description?: string };
          transactions: {
            name: string;
            tag?: string[];
            parameters?: { name: string; description: string; schema: { type: string } }[];
            returns?: { type: string; contentMediaType?: string; contentSchema?: object };
          }[];
        }
      >;
    };
    Invoke(stub: unknown): Promise<{ status: number; message: string; payload: Uint8Array }>;
  }
}
