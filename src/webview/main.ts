import { unpacked } from '../protocol/packedAnswer.ts';
import { Host } from './host.ts';
import { SearchPanel } from './searchPanel.ts';
import type { SearchProtocol } from './searchProtocol.ts';

const host = new Host<SearchProtocol>();
let panel: SearchPanel | undefined;
host.onMessage((posted) => {
  const message = unpacked(posted);
  if (message.kind === 'init') panel ??= new SearchPanel(host, message);
  else panel?.receive(message);
});
host.send({ kind: 'ready' });
