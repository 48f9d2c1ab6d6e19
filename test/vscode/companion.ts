import * as vscode from 'vscode';

const FILE = '/greenhouse/tomato.ts';
const FILES: Readonly<Record<string, string>> = {
  [FILE]: '/** Waters the tomatoes in the greenhouse. */\nexport function waterTomatoes(): void {}\n',
};

/** A folder with one file that is on no disk; nothing can be written. */
class MemoryFiles implements vscode.FileSystemProvider {
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  stat({ path }: vscode.Uri): vscode.FileStat {
    const text = FILES[path];
    const isFolder = Object.keys(FILES).some((file) => file.startsWith(`${path}/`));
    if (text === undefined && !isFolder) throw vscode.FileSystemError.FileNotFound(path);
    const type = isFolder ? vscode.FileType.Directory : vscode.FileType.File;
    return { type, ctime: 0, mtime: 0, size: text?.length ?? 0 };
  }

  readDirectory({ path }: vscode.Uri): [string, vscode.FileType][] {
    return Object.keys(FILES)
      .filter((file) => file.startsWith(`${path}/`))
      .map((file) => [file.slice(path.length + 1), vscode.FileType.File]);
  }

  readFile({ path }: vscode.Uri): Uint8Array {
    const text = FILES[path];
    if (text === undefined) throw vscode.FileSystemError.FileNotFound(path);
    return new TextEncoder().encode(text);
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }
}

/** Asks Tessera's tool as an agent does, and says in a notification what came of it. */
async function askTool(): Promise<void> {
  const query = await vscode.window.showInputBox({ prompt: 'What is the tool asked for?' });
  const said = await vscode.lm
    .invokeTool('tessera_search_code', { input: { query }, toolInvocationToken: undefined })
    .then(
      ({ content }) => content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join(''),
      (error: unknown) => `no, ${error instanceof Error ? error.message : String(error)}`,
    );
  void vscode.window.showInformationMessage(`The tool answered: ${said}`);
}

export function activate({ subscriptions }: vscode.ExtensionContext): void {
  subscriptions.push(
    vscode.workspace.registerFileSystemProvider('memory', new MemoryFiles(), { isReadonly: true }),
    vscode.commands.registerCommand('companion.askTool', askTool),
    vscode.commands.registerCommand('companion.openVirtual', () =>
      vscode.commands.executeCommand('vscode.open', vscode.Uri.from({ scheme: 'memory', path: FILE })),
    ),
  );
}
