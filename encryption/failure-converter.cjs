// CommonJS because Temporal loads this file by require, which Node 20 does not allow for an ES module.
const { DefaultFailureConverter } = require('@temporalio/common');

/** Puts failure texts and stacks through the payload codec as well. */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
