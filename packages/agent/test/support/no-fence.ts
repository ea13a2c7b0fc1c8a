/** For what is about the agent's own part of the lease. */
export const noFence = { welcomed() {}, sent() {}, answered() {}, disconnected() {} }
