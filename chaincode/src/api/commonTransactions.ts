/** Transactions that both chaincodes have. */
import { z } from 'zod';
import { byInstitution, contract, reads, type Registration } from './definition.js';
import * as endorsement from './endorsement.js';
import { listOf, listRequest } from './primitives.js';
import * as records from './records.js';

/** What a process runs. */
export const buildInfoContract = contract('BuildInfoContract', {
  Get: reads(
    'Code digest and versions of this process, to be compared between organisations.',
    z.strictObject({}),
    records.buildInfo,
  ),
});

/** The shim: who mines on the consortium's channel is enrolled there; a private channel has no registry. */
export const endorsementContract = <const R extends Registration>(registration: R) =>
  contract('EndorsementContract', {
    Choose: {
      ...byInstitution(
        'Chooses the channel’s endorsement scheme, once.',
        endorsement.chooseScheme,
        endorsement.chosenScheme,
      ),
      registration,
    },
    Seal: {
      ...byInstitution(
        'Adds a block: seals a batch of pending entries.',
        endorsement.sealBatch,
        endorsement.sealedBlock,
      ),
      registration,
    },
    Scheme: reads('Reads the channel’s endorsement scheme.', z.strictObject({}), endorsement.schemeView),
    Tip: reads('Reads the end of the chain of blocks.', z.strictObject({}), endorsement.chainTip),
    Sharing: reads(
      'Reads whether an entry is pending or confirmed, and how deep.',
      endorsement.getSharing,
      endorsement.sharingView,
    ),
    Pending: reads('Lists the pending entries.', listRequest, listOf(endorsement.pendingItem)),
    Block: reads('Reads one block.', endorsement.getBlock, endorsement.sealedBlock),
    Blocks: reads('Lists blocks by height.', listRequest, listOf(endorsement.sealedBlock)),
  });
