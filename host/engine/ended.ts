/** The cause of a fault of passes whose sandbox was lost together with all others: none of them need be the reason. */
export class SupervisorEnded extends Error {}
