import { packCode, type ChaincodePackage } from '../operations/chaincodePackage.js';

/** TLS between a peer and its chaincode process, PEM. */
export interface ChaincodeTls {
  /** Authority of the process' certificate. */
  readonly rootCertificate: string;
  /** The peer's own pair, which the process asks for. */
  readonly clientCertificate: string;
  readonly clientKey: string;
}

/**
 * Packs a chaincode that runs as a service: `metadata.json` and `code.tar.gz` with `connection.json`. The same input
 * gives the same bytes, so the package id depends on label, address and TLS material alone; it says nothing about the
 * code, which is why the label carries the code's digest.
 */
export async function packChaincodeService(service: {
  readonly label: string;
  readonly address: string;
  readonly tls?: ChaincodeTls;
}): Promise<ChaincodePackage> {
  const { label, address, tls } = service;
  const connection = {
    address,
    dial_timeout: '10s',
    tls_required: tls !== undefined,
    ...(tls && {
      client_auth_required: true,
      root_cert: tls.rootCertificate,
      client_cert: tls.clientCertificate,
      client_key: tls.clientKey,
    }),
  };
  return packCode({ type: 'ccaas', label }, [['connection.json', JSON.stringify(connection)]]);
}
