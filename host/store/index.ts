export { openStore, type KnowledgeStore, type StoreOptions } from "./store.ts";
