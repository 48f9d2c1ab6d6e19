import * as vscode from 'vscode';
import { assertNever } from '../base/errors.ts';
import { formatLogRecord, type LogLevel, type LogRecord, type LogSink } from '../base/logger.ts';

/** Writes log records to VS Code's log channel, whose level a person sets with *Developer: Set Log Level*. */
export function channelSink(channel: vscode.LogOutputChannel): LogSink {
  return {
    get level() {
      return levelOf(channel.logLevel);
    },
    write(record: LogRecord) {
      channel[record.level](formatLogRecord(record));
    },
  };
}

function levelOf(level: vscode.LogLevel): LogLevel {
  switch (level) {
    case vscode.LogLevel.Trace:
      return 'trace';
    case vscode.LogLevel.Debug:
      return 'debug';
    case vscode.LogLevel.Info:
      return 'info';
    case vscode.LogLevel.Warning:
      return 'warn';
    case vscode.LogLevel.Error:
      return 'error';
    case vscode.LogLevel.Off:
      return 'off';
    default:
      return assertNever(level);
  }
}
