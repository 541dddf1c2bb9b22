using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoadBalancer.Hosting.Reloading;

/// <summary>How values are shown in a difference: on one line, without reflection.</summary>
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class DifferenceJson : JsonSerializerContext;
