export { jobsDriver } from "./driver.ts";
