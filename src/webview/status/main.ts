import { Host } from '../host.ts';
import { StatusPanel, type StatusProtocol } from './statusPanel.ts';

const host = new Host<StatusProtocol>();
const panel = new StatusPanel(host);
host.onMessage((message) => panel.show(message.model));
host.send({ kind: 'ready' });
