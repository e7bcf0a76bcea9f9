import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { KnowledgeFile } from "./file.ts";
import { LIMITS } from "./limits.ts";
import type { Answers, Call, Question, Reply, Said } from "./messages.ts";

if (parentPort !== null) serve(parentPort, (workerData as { file: string }).file);

/** Answers calls until it is told to close. All calls that wait when one begins are one transaction: one flush for all. */
function serve(port: MessagePort, path: string): void {
  const say = (said: Said) => port.postMessage(said);
  let corrupt: string[] = [];
  // What this throws ends the thread, and is what the other side says of the file.
  const file = new KnowledgeFile(path, (message) => corrupt.push(message));
  say({ opened: true });
  port.on("message", (first: Call) => {
    const group = [first, ...waiting(port)];
    corrupt = [];
    const replies = answer(file, group);
    const last = group.some((call) => call.question.do === "close");
    if (last) file.close();
    say({ replies, corrupt });
    if (last) port.close();
  });
}

function waiting(port: MessagePort): Call[] {
  const calls: Call[] = [];
  while (calls.length < LIMITS.groupCalls) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) break;
    calls.push(next.message);
  }
  return calls;
}

function answer(file: KnowledgeFile, group: readonly Call[]): Reply[] {
  try {
    return file.transaction(() => group.map((call) => answerOne(file, call)));
  } catch (failure) {
    const failed = messageOf(failure);
    return group.map(({ call }) => ({ call, failed }));
  }
}

/** One call's failure is its own, unless it ended the whole transaction. */
function answerOne(file: KnowledgeFile, { call, question }: Call): Reply {
  try {
    return { call, answer: file.part(() => perform(file, question)) };
  } catch (failure) {
    return { call, failed: messageOf(failure) };
  }
}

function perform(file: KnowledgeFile, question: Question): Answers[keyof Answers] {
  return question.do === "close" ? undefined : file.perform(question);
}

const messageOf = (failure: unknown) => (failure instanceof Error ? failure.message : String(failure));
