export { openStore, type KnowledgeStore, type StoreOptions } from "./store.ts";
export { placeOf } from "./place.ts";
export { exported, imported } from "./transfer.ts";
