/** Node's TLS, loaded by who speaks it: a gate that starts has clients waiting, and it takes longer to load than the rest. */
export const nodeTls = () => process.getBuiltinModule('node:tls');
