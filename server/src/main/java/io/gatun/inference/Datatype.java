package io.gatun.inference;

/** The types of elements that models here take and give, named as on the wire. */
public enum Datatype {
    BYTES,
    FP32;

    /** As Triton's model configuration calls it. */
    public String configurationName() {
        return this == BYTES ? "TYPE_STRING" : "TYPE_FP32";
    }
}
