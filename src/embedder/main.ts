import { Logger } from '../base/logger.ts';
import { connectToParent } from '../process/parentLink.ts';
import { RequestServer } from '../process/requestServer.ts';
import { SYSTEM_CLOCK } from '../process/systemClock.ts';
import type { EmbedderEvents, EmbedderRequests } from '../protocol/embedder.ts';
import { EmbedderService } from './embedderService.ts';

/** Entry of the embedder process. */
const link = connectToParent();
// The level is the parent's to choose; what it does not want it drops.
const logger = new Logger(
  { level: 'debug', write: (record) => link.send({ kind: 'event', name: 'log', payload: record }) },
  'embedder',
);
const service = new EmbedderService({
  events: { emit: (name, payload) => server.emit(name, payload) },
  clock: SYSTEM_CLOCK,
  logger,
  // The status a container's killer leaves behind: the supervisor knows it for want of memory.
  surrender: () => process.exit(137),
});
const server = new RequestServer<EmbedderRequests, EmbedderEvents>(link, service.handlers);
server.emit('ready', null);
