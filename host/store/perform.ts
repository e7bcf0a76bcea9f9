import { dump, load } from "./dump.ts";
import { bodies, entries, forget, keys, recall, remember, type Corrupt } from "./knowledge.ts";
import type { Answers, Question } from "./messages.ts";
import type { Work } from "./statements.ts";

/** The work that answers a question. */
export function workOf(
  question: Exclude<Question, { readonly do: "close" }>,
  corrupt: Corrupt,
): Work<Answers[keyof Answers]> {
  switch (question.do) {
    case "recall":
      return recall(question, corrupt);
    case "remember":
      return remember(question, corrupt);
    case "entries":
      return entries(question, corrupt);
    case "bodies":
      return bodies(question);
    case "forget":
      return forget(question);
    case "keys":
      return keys();
    case "dump":
      return dump(question, corrupt);
    case "load":
      return load(question);
  }
}
