/**
 * What a connection is called by which a copy is kept: a mirror's, to its target, whatever it does there. A gate that has that name
 * for a client writes the copy where it is, though requests for those keys are routed to their owner.
 */
export const copyName = 'holdfast-stream';
