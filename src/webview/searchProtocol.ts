import type { PackedAnswer } from '../protocol/packedAnswer.ts';
import type { HostToView, ViewQuery, ViewToHost } from '../protocol/view.ts';
import type { TreeState } from './treeModel.ts';

/** What survives a reload of the view. Hits are kept by the host. */
export interface PanelState {
  readonly query: ViewQuery;
  readonly areDetailsOpen: boolean;
  readonly tree: TreeState;
  readonly scrollTop: number;
  readonly limit: number;
}

export interface SearchProtocol {
  readonly toHost: ViewToHost;
  readonly toView: HostToView | PackedAnswer;
  readonly state: PanelState;
}
