import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { discovery, msp, peer } from '@hyperledger/fabric-protos';
import type { NodePaths } from '../certificates/index.js';
import { signMessage } from '../msp/signature.js';

/** Who asks: an identity of the peer's own organisation. */
export interface Asker {
  readonly mspId: string;
  readonly identity: NodePaths;
  /** TLS authority of the peer that is asked. */
  readonly tlsCa: string;
}

/**
 * By organisation, how many peers, as this peer knows by gossip, are on the channel and have the chaincode installed and
 * committed: those that its gateway can ask for an endorsement. Fabric's discovery service, "peer membership query".
 */
export async function endorsingPeers(
  address: string,
  asker: Asker,
  channel: string,
  chaincode: string,
): Promise<Map<string, number>> {
  const { tls } = asker.identity;
  const client = new discovery.DiscoveryClient(
    address,
    credentials.createSsl(readFileSync(asker.tlsCa), readFileSync(tls.key), readFileSync(tls.certificate)),
  );
  try {
    const response = await new Promise<discovery.Response>((resolve, reject) => {
      client.discover(
        signedRequest(asker, membershipQuery(channel, chaincode)),
        { deadline: Date.now() + 5000 },
        (error: ServiceError | null, value) => {
          if (error || !value) reject(error ?? new Error('no answer'));
          else resolve(value);
        },
      );
    });
    // A peer that does not know the chaincode yet answers with an error, which is the same as nobody.
    const peers = response.getResultsList()[0]?.getMembers()?.getPeersByOrgMap();
    const counts = new Map<string, number>();
    peers?.forEach((list, mspId) => counts.set(mspId, list.getPeersList().length));
    return counts;
  } finally {
    client.close();
  }
}

function membershipQuery(channel: string, chaincode: string): discovery.Query {
  const call = new peer.ChaincodeCall();
  call.setName(chaincode);
  const interest = new peer.ChaincodeInterest();
  interest.setChaincodesList([call]);
  const membership = new discovery.PeerMembershipQuery();
  membership.setFilter(interest);
  const query = new discovery.Query();
  query.setChannel(channel);
  query.setPeerQuery(membership);
  return query;
}

function signedRequest({ mspId, identity }: Asker, query: discovery.Query): discovery.SignedRequest {
  const creator = new msp.SerializedIdentity();
  creator.setMspid(mspId);
  creator.setIdBytes(readFileSync(identity.msp.certificate));
  const authentication = new discovery.AuthInfo();
  authentication.setClientIdentity(creator.serializeBinary());
  const { raw } = new X509Certificate(readFileSync(identity.tls.certificate));
  authentication.setClientTlsCertHash(createHash('sha256').update(raw).digest());
  const request = new discovery.Request();
  request.setAuthentication(authentication);
  request.setQueriesList([query]);
  const payload = request.serializeBinary();
  const signed = new discovery.SignedRequest();
  signed.setPayload(payload);
  signed.setSignature(signMessage(createPrivateKey(readFileSync(identity.msp.key)), payload));
  return signed;
}
