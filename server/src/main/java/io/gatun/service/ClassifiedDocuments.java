package io.gatun.service;

import io.gatun.model.Head;
import io.gatun.task.Passage;
import java.util.List;

/**
 * What a head says of each passage of each of a request's texts, in their order.
 *
 * @param passages at least one of each text
 */
public record ClassifiedDocuments(String model, Head head, List<List<Passage>> passages) {}
