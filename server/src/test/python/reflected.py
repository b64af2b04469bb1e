"""Calls gRPC methods that are known by nothing but the server's reflection, as grpcurl does."""

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class Reflected:
    def __init__(self, address, channel=None):
        self.channel = channel or grpc.insecure_channel(address, [("grpc.max_receive_message_length", -1)])
        self._database = ProtoReflectionDescriptorDatabase(self.channel)
        self._pool = DescriptorPool(self._database)

    def services(self):
        return set(self._database.get_services())

    def methods(self, service):
        return {method.name for method in self._pool.FindServiceByName(service).methods}

    def _method(self, path):
        service, name = path.rsplit("/", 1)
        method = self._pool.FindServiceByName(service).FindMethodByName(name)
        return GetMessageClass(method.input_type), GetMessageClass(method.output_type)

    def call(self, path, request=None, timeout=60, metadata=None):
        """One call; `path` is 'package.Service/Method', the request and the answer are as in JSON."""
        return self.message(path, request, timeout, metadata, as_dict=True)

    def message(self, path, request=None, timeout=60, metadata=None, as_dict=False):
        sent, received = self._method(path)
        call = self.channel.unary_unary(
            f"/{path}", request_serializer=sent.SerializeToString, response_deserializer=received.FromString
        )
        answer = call(ParseDict(request or {}, sent()), timeout=timeout, metadata=metadata)
        return MessageToDict(answer, preserving_proto_field_name=True) if as_dict else answer

    def stream(self, path, requests, timeout=60):
        sent, received = self._method(path)
        call = self.channel.stream_stream(
            f"/{path}", request_serializer=sent.SerializeToString, response_deserializer=received.FromString
        )
        return list(call((ParseDict(request, sent()) for request in requests), timeout=timeout))

    def close(self):
        self.channel.close()
