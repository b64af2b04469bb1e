/** The door over gRPC: what text-embeddings-inference's, Triton's and KServe's clients call, in front of the services. */
@NullMarked
package io.gatun.grpc;

import org.jspecify.annotations.NullMarked;
