import { setImmediate as nextTurn } from 'node:timers/promises';
import * as vscode from 'vscode';
import { DisposableStore } from './base/disposable.ts';
import { Logger } from './base/logger.ts';
import { SEARCH_TOOL_NAME, SearchTool } from './host/agents/searchTool.ts';
import { clear } from './host/commands/clear.ts';
import { registerCommands } from './host/commands/command.ts';
import { findSimilar } from './host/commands/findSimilar.ts';
import { focusSearchView } from './host/commands/focusSearchView.ts';
import { indexNow } from './host/commands/indexNow.ts';
import { manageTrust } from './host/commands/manageTrust.ts';
import { openSettings } from './host/commands/openSettings.ts';
import { openWalkthrough } from './host/commands/openWalkthrough.ts';
import { pause } from './host/commands/pause.ts';
import { rebuild } from './host/commands/rebuild.ts';
import { restart } from './host/commands/restart.ts';
import { resume } from './host/commands/resume.ts';
import { search } from './host/commands/search.ts';
import { searchInFolder } from './host/commands/searchInFolder.ts';
import { showLog } from './host/commands/showLog.ts';
import { showStatus } from './host/commands/showStatus.ts';
import { viewCommands } from './host/commands/viewCommands.ts';
import { onEditorKey } from './host/editor/editorKeys.ts';
import { HitEditor } from './host/editor/hitEditor.ts';
import { IndexServer } from './host/folders/indexServer.ts';
import { WorkspaceIndex } from './host/folders/workspaceIndex.ts';
import { channelSink } from './host/hostLog.ts';
import { BatteryPause } from './host/manners/batteryPause.ts';
import { TypingNotice } from './host/manners/typingNotice.ts';
import { SearchPicker } from './host/palette/searchPicker.ts';
import { QueryHistory } from './host/searching/queryHistory.ts';
import { SearchService } from './host/searching/searchService.ts';
import { ContextKeys } from './host/status/contextKeys.ts';
import { LanguageStatus } from './host/status/languageStatus.ts';
import { StatusBarItem } from './host/status/statusBarItem.ts';
import { StatusPage } from './host/status/statusPage.ts';
import { SearchView } from './host/view/searchView.ts';
import { registerStartView } from './host/view/startView.ts';
import { ThemeColors } from './host/view/themeColors.ts';
import { SYSTEM_CLOCK } from './process/systemClock.ts';

/** Builds the graph and starts its parts; nothing else happens here. Resolves when commands can rely on all of them. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const { extensionUri, extensionPath, extension } = context;
  const clock = SYSTEM_CLOCK;
  const startedMs = clock.now();
  const own = new DisposableStore();
  context.subscriptions.push(own);

  const channel = own.add(vscode.window.createOutputChannel('Tessera', { log: true }));
  const sink = channelSink(channel);
  const logger = new Logger(sink, 'host');

  const server = own.add(
    new IndexServer({
      modulePath: vscode.Uri.joinPath(extensionUri, 'dist', 'server.js').fsPath,
      clock,
      logger,
      onLog: (record) => sink.write(record),
    }),
  );
  const workspace = own.add(
    new WorkspaceIndex({
      server,
      clock,
      logger,
      folders: { extensionPath, globalStoragePath: context.globalStorageUri.fsPath },
      memento: context.workspaceState,
    }),
  );
  const searching = new SearchService(workspace, server);
  const editor = own.add(new HitEditor());
  const colors = own.add(new ThemeColors(logger));
  const history = own.add(new QueryHistory(context.workspaceState));
  const view = own.add(new SearchView({ extensionUri, history, workspace, search: searching, editor, colors, logger }));
  const picker = own.add(new SearchPicker({ search: searching, editor, view, clock, history }));
  const statusPage = own.add(new StatusPage(extensionUri, workspace, clock));
  const statusBar = own.add(new StatusBarItem(workspace));
  const languageStatus = own.add(new LanguageStatus(workspace, server, clock));
  const batteryPause = own.add(new BatteryPause(workspace, clock, logger));
  const typingNotice = own.add(new TypingNotice({ server, clock, onKey: onEditorKey }));
  const contextKeys = own.add(new ContextKeys(workspace));

  own.add(
    registerCommands([
      search(picker),
      searchInFolder(workspace, view),
      findSimilar(searching, view),
      focusSearchView(view),
      indexNow(workspace),
      rebuild(workspace),
      pause(workspace),
      resume(workspace),
      clear(workspace),
      showStatus(statusPage),
      showLog(channel),
      restart(server, workspace),
      openSettings(extension.id),
      openWalkthrough(extension.id),
      manageTrust(),
      ...viewCommands(view),
    ]),
  );
  own.add(registerStartView());
  own.add(vscode.lm.registerTool(SEARCH_TOOL_NAME, new SearchTool(searching, workspace)));
  own.add(server.onCommitted(({ folder, paths }) => view.noteCommitted(folder, paths)));

  colors.start();
  view.start();
  // The window's other extensions start as well: what follows the folders gets a turn of the event loop of its own.
  await nextTurn();
  if (own.isDisposed) return;
  statusBar.start();
  contextKeys.start();
  languageStatus.start();
  batteryPause.start();
  typingNotice.start();
  workspace.start();
  logger.info('activated', { tookMs: Math.round(clock.now() - startedMs) });
}

/** Everything is let go by VS Code disposing the context's subscriptions. */
export function deactivate(): void {
  // Nothing beyond the subscriptions.
}
