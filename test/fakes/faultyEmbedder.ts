import { Logger } from '../../src/base/logger.ts';
import { EmbedderService } from '../../src/embedder/embedderService.ts';
import { connectToParent } from '../../src/process/parentLink.ts';
import { RequestServer } from '../../src/process/requestServer.ts';
import { SYSTEM_CLOCK } from '../../src/process/systemClock.ts';
import type { EmbedderEvents, EmbedderRequests } from '../../src/protocol/embedder.ts';

/**
 * The embedder with faults, for tests. Environment:
 * `FAULT_WORD`: dies by SIGKILL in a run of a text with this word;
 * `FAULT_TOKENS`: dies by SIGKILL in a run of more padded tokens, as the kernel's out-of-memory killer does;
 * `FAULT_RUNS`: dies by SIGKILL after so many runs, or up to twice as many;
 * `FAULT_ACCELERATOR`: dies by this signal when it may try an accelerator, as a broken driver does;
 * `FAULT_LOADING`: exits with this status when it is asked to load the models.
 */
const word = process.env['FAULT_WORD'];
const tokenLimit = Number(process.env['FAULT_TOKENS'] ?? Infinity);
const runLimit = Number(process.env['FAULT_RUNS'] ?? Infinity);
/** Another number in each process, though not a random one. */
const lastRun = runLimit + (process.pid % runLimit);
let runs = 0;

const link = connectToParent();
const logger = new Logger(
  { level: 'debug', write: (record) => link.send({ kind: 'event', name: 'log', payload: record }) },
  'embedder',
);
const texts = new Map<number, readonly string[]>();
const service = new EmbedderService({
  clock: SYSTEM_CLOCK,
  logger,
  surrender: () => process.exit(137),
  events: {
    emit: (name, payload) => {
      link.send({ kind: 'event', name, payload });
      if (name === 'runStarted' && isFatal(payload as EmbedderEvents['runStarted']))
        process.kill(process.pid, 'SIGKILL');
    },
  },
});

function isFatal(run: EmbedderEvents['runStarted']): boolean {
  runs += 1;
  if (run.length * run.count > tokenLimit || runs >= lastRun) return true;
  return run.members.some(({ piece, indices }) =>
    [...indices].some((index) => word !== undefined && texts.get(piece)?.[index]?.includes(word) === true),
  );
}

const server = new RequestServer<EmbedderRequests, EmbedderEvents>(link, {
  ...service.handlers,
  open: (params, signal) => {
    const status = process.env['FAULT_LOADING'];
    if (status !== undefined) process.exit(Number(status));
    const driverFault = process.env['FAULT_ACCELERATOR'];
    if (driverFault !== undefined && params.processorOnly === null) process.kill(process.pid, driverFault);
    return service.handlers.open(params, signal);
  },
  embed: (params, signal) => {
    texts.set(params.piece, params.texts);
    return service.handlers.embed(params, signal);
  },
});
server.emit('ready', null);
