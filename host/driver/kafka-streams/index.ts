export { kafkaStreamsDriver } from "./driver.ts";
