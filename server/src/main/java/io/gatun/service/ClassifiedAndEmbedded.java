package io.gatun.service;

/** What a head says of each of a request's texts, and a vector for each. */
public record ClassifiedAndEmbedded(Classified classified, Embedded embedded) {}
