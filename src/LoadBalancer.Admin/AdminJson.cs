using System.Text.Json.Serialization;
using LoadBalancer.Admin.Endpoints;

namespace LoadBalancer.Admin;

/// <summary>How answers are written, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StatusEntry))]
[JsonSerializable(typeof(ClusterList))]
[JsonSerializable(typeof(DestinationEntry))]
[JsonSerializable(typeof(DestinationList))]
[JsonSerializable(typeof(RegistrationEntry))]
internal sealed partial class AdminJson : JsonSerializerContext;
