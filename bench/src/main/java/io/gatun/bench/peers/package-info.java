/**
 * Gatun beside other engines, on the same weights, ids and threads. {@link io.gatun.bench.peers.PeersCommand} is the
 * command; the ONNX files come from {@link io.gatun.bench.peers.OnnxFiles}, the engines are
 * {@link io.gatun.bench.peers.Engine}s that take turns in {@link io.gatun.bench.peers.Rounds}.
 */
@NullMarked
package io.gatun.bench.peers;

import org.jspecify.annotations.NullMarked;
