/* The types of the step contract sluice/v1, made from pdk/schema by `npm run generate`: do not edit. */

#ifndef SLUICE_CONTRACT_H
#define SLUICE_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text in UTF-8, not ended by a zero. Without an address it is absent. */
typedef struct { const char *at; size_t length; } sluice_text;
/* Any JSON as it was written. Without an address it is absent. */
typedef sluice_text sluice_json;

/* How a field is written in JSON. */
typedef enum {
  SLUICE_TEXT, SLUICE_DECIMAL, SLUICE_FLAG, SLUICE_JSON, SLUICE_WHOLE, SLUICE_RECORD,
  SLUICE_LIST, SLUICE_MAP, SLUICE_TEXT_MAP
} sluice_kind;

/* Lists and maps are an address and a number of items, as sluice_items; an item of a map begins with its key. */
typedef struct { void *items; size_t count; } sluice_items;

struct sluice_record;
/* One field of a record: where it is, whether and where it is noted that it is there, and what it is made of. */
typedef struct {
  const char *name;
  sluice_kind kind;
  size_t at;
  /* Offset of the flag that says whether it is there; SLUICE_ALWAYS where an address or a count says it, or nothing has to. */
  size_t has;
  const struct sluice_record *of;
} sluice_field;
#define SLUICE_ALWAYS ((size_t)-1)

/* A record: its size, that of an item of a map of such records and where the record begins in it, and its fields. */
typedef struct sluice_record {
  size_t size;
  size_t entry_size;
  size_t entry_value;
  size_t count;
  const sluice_field *fields;
} sluice_record;

/* An item of a map from names to text. */
typedef struct { sluice_text key; sluice_text value; } sluice_text_entry;

/* The pass that the step runs in. */
typedef struct {
  /* Unique among the passes of the policy; the same when a pass is replayed. */
  sluice_text id;
  /* Counts the passes of the policy, from 1. */
  int64_t number;
  /* When the pass began. The only clock there is: it stands still for all steps of the pass. RFC 3339,
     in UTC. */
  sluice_text time;
} sluice_iteration;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_iteration value; } sluice_iteration_entry;

static const sluice_field sluice_iteration_fields[] = {
  {"id", SLUICE_TEXT, offsetof(sluice_iteration, id), SLUICE_ALWAYS, NULL},
  {"number", SLUICE_WHOLE, offsetof(sluice_iteration, number), SLUICE_ALWAYS, NULL},
  {"time", SLUICE_TEXT, offsetof(sluice_iteration, time), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_iteration_record = {
  sizeof(sluice_iteration), sizeof(sluice_iteration_entry), offsetof(sluice_iteration_entry, value), 3, sluice_iteration_fields
};

/* The policy that the pass is made for. */
typedef struct {
  /* Its namespace. */
  sluice_text namespace;
  /* Its name. */
  sluice_text name;
} sluice_policy_name;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_policy_name value; } sluice_policy_name_entry;

static const sluice_field sluice_policy_name_fields[] = {
  {"namespace", SLUICE_TEXT, offsetof(sluice_policy_name, namespace), SLUICE_ALWAYS, NULL},
  {"name", SLUICE_TEXT, offsetof(sluice_policy_name, name), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_policy_name_record = {
  sizeof(sluice_policy_name), sizeof(sluice_policy_name_entry), offsetof(sluice_policy_name_entry, value), 2, sluice_policy_name_fields
};

/* What each instance of a node has. Only what the policy lets an algorithm change
   (guardrails.resources) and the driver can tell is here. */
typedef struct {
  /* Processors that it requests, such as 0.5. Default: not said. */
  bool has_cpu;
  double cpu;
  /* Bytes of memory that it requests. Default: not said. */
  bool has_memory;
  int64_t memory;
  /* Slots of a TaskManager. Default: not said. */
  bool has_slots;
  int64_t slots;
} sluice_instance_resources;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_instance_resources value; } sluice_instance_resources_entry;

static const sluice_field sluice_instance_resources_fields[] = {
  {"cpu", SLUICE_DECIMAL, offsetof(sluice_instance_resources, cpu), offsetof(sluice_instance_resources, has_cpu), NULL},
  {"memory", SLUICE_WHOLE, offsetof(sluice_instance_resources, memory), offsetof(sluice_instance_resources, has_memory), NULL},
  {"slots", SLUICE_WHOLE, offsetof(sluice_instance_resources, slots), offsetof(sluice_instance_resources, has_slots), NULL},
};
static const sluice_record sluice_instance_resources_record = {
  sizeof(sluice_instance_resources), sizeof(sluice_instance_resources_entry), offsetof(sluice_instance_resources_entry, value), 3, sluice_instance_resources_fields
};

/* One operator of the application, with a parallelism of its own. */
typedef struct {
  /* Name of the node; the plan names it by this. */
  sluice_text name;
  /* What stands behind the node, such as `Deployment`. */
  sluice_text kind;
  /* What is asked of the application now: replicas, vertex parallelism or threads, as the driver says. */
  int64_t parallelism;
  /* How much of it serves. */
  int64_t ready;
  /* The least that the guardrails grant. */
  int64_t min;
  /* The most that the guardrails grant. */
  int64_t max;
  /* More than this cannot work in parallel, such as the partitions of a topic. Default: no such limit. */
  bool has_ceiling;
  int64_t ceiling;
  /* Parallelism should divide this, such as the key groups of a job. Default: any will do. */
  bool has_align_to;
  int64_t align_to;
  /* Nodes of one slot group share slots. Default: the node shares with nobody. */
  sluice_text slot_group;
  /* What each instance of a node has. Only what the policy lets an algorithm change
     (guardrails.resources) and the driver can tell is here. */
  bool has_resources;
  sluice_instance_resources resources;
  /* What else the driver or the policy says about the node. */
  struct { sluice_text_entry *items; size_t count; } attributes;
} sluice_node;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_node value; } sluice_node_entry;

static const sluice_field sluice_node_fields[] = {
  {"name", SLUICE_TEXT, offsetof(sluice_node, name), SLUICE_ALWAYS, NULL},
  {"kind", SLUICE_TEXT, offsetof(sluice_node, kind), SLUICE_ALWAYS, NULL},
  {"parallelism", SLUICE_WHOLE, offsetof(sluice_node, parallelism), SLUICE_ALWAYS, NULL},
  {"ready", SLUICE_WHOLE, offsetof(sluice_node, ready), SLUICE_ALWAYS, NULL},
  {"min", SLUICE_WHOLE, offsetof(sluice_node, min), SLUICE_ALWAYS, NULL},
  {"max", SLUICE_WHOLE, offsetof(sluice_node, max), SLUICE_ALWAYS, NULL},
  {"ceiling", SLUICE_WHOLE, offsetof(sluice_node, ceiling), offsetof(sluice_node, has_ceiling), NULL},
  {"alignTo", SLUICE_WHOLE, offsetof(sluice_node, align_to), offsetof(sluice_node, has_align_to), NULL},
  {"slotGroup", SLUICE_TEXT, offsetof(sluice_node, slot_group), SLUICE_ALWAYS, NULL},
  {"resources", SLUICE_RECORD, offsetof(sluice_node, resources), offsetof(sluice_node, has_resources), &sluice_instance_resources_record},
  {"attributes", SLUICE_TEXT_MAP, offsetof(sluice_node, attributes), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_node_record = {
  sizeof(sluice_node), sizeof(sluice_node_entry), offsetof(sluice_node_entry, value), 11, sluice_node_fields
};

/* Records flow from one node to another. */
typedef struct {
  /* Name of the node that sends. */
  sluice_text from;
  /* Name of the node that receives. */
  sluice_text to;
  /* How records are spread over the receiving instances, such as `HASH` or `REBALANCE`. Default: not
     known. */
  sluice_text ship_strategy;
} sluice_edge;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_edge value; } sluice_edge_entry;

static const sluice_field sluice_edge_fields[] = {
  {"from", SLUICE_TEXT, offsetof(sluice_edge, from), SLUICE_ALWAYS, NULL},
  {"to", SLUICE_TEXT, offsetof(sluice_edge, to), SLUICE_ALWAYS, NULL},
  {"shipStrategy", SLUICE_TEXT, offsetof(sluice_edge, ship_strategy), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_edge_record = {
  sizeof(sluice_edge), sizeof(sluice_edge_entry), offsetof(sluice_edge_entry, value), 3, sluice_edge_fields
};

/* The last change of parallelism that was written, by whomever. */
typedef struct {
  /* When it was written. RFC 3339, in UTC. */
  sluice_text at;
  /* When the application ran with it. Absent as long as it does not. RFC 3339, in UTC. */
  sluice_text settled_at;
  /* For how many seconds nothing was processed. Default: not known. */
  bool has_downtime;
  double downtime;
  /* Whether only some nodes got what was asked for. Default false. */
  bool has_partial;
  bool partial;
} sluice_last_rescale;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_last_rescale value; } sluice_last_rescale_entry;

static const sluice_field sluice_last_rescale_fields[] = {
  {"at", SLUICE_TEXT, offsetof(sluice_last_rescale, at), SLUICE_ALWAYS, NULL},
  {"settledAt", SLUICE_TEXT, offsetof(sluice_last_rescale, settled_at), SLUICE_ALWAYS, NULL},
  {"downtime", SLUICE_DECIMAL, offsetof(sluice_last_rescale, downtime), offsetof(sluice_last_rescale, has_downtime), NULL},
  {"partial", SLUICE_FLAG, offsetof(sluice_last_rescale, partial), offsetof(sluice_last_rescale, has_partial), NULL},
};
static const sluice_record sluice_last_rescale_record = {
  sizeof(sluice_last_rescale), sizeof(sluice_last_rescale_entry), offsetof(sluice_last_rescale_entry, value), 4, sluice_last_rescale_fields
};

/* Slots of the whole application. Absent where it has none. */
typedef struct {
  /* All slots. */
  int64_t total;
  /* Slots that nothing uses. */
  int64_t free;
} sluice_slots;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_slots value; } sluice_slots_entry;

static const sluice_field sluice_slots_fields[] = {
  {"total", SLUICE_WHOLE, offsetof(sluice_slots, total), SLUICE_ALWAYS, NULL},
  {"free", SLUICE_WHOLE, offsetof(sluice_slots, free), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_slots_record = {
  sizeof(sluice_slots), sizeof(sluice_slots_entry), offsetof(sluice_slots_entry, value), 2, sluice_slots_fields
};

/* The application as a graph, as the driver found it in this pass. */
typedef struct {
  /* All nodes, in the order of the policy. */
  struct { sluice_node *items; size_t count; } nodes;
  /* All edges. */
  struct { sluice_edge *items; size_t count; } edges;
  /* Since when the application has run without a restart. Default: not known. RFC 3339, in UTC. */
  sluice_text running_since;
  /* The last change of parallelism that was written, by whomever. */
  bool has_last_rescale;
  sluice_last_rescale last_rescale;
  /* Slots of the whole application. Absent where it has none. */
  bool has_slots;
  sluice_slots slots;
} sluice_topology;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_topology value; } sluice_topology_entry;

static const sluice_field sluice_topology_fields[] = {
  {"nodes", SLUICE_LIST, offsetof(sluice_topology, nodes), SLUICE_ALWAYS, &sluice_node_record},
  {"edges", SLUICE_LIST, offsetof(sluice_topology, edges), SLUICE_ALWAYS, &sluice_edge_record},
  {"runningSince", SLUICE_TEXT, offsetof(sluice_topology, running_since), SLUICE_ALWAYS, NULL},
  {"lastRescale", SLUICE_RECORD, offsetof(sluice_topology, last_rescale), offsetof(sluice_topology, has_last_rescale), &sluice_last_rescale_record},
  {"slots", SLUICE_RECORD, offsetof(sluice_topology, slots), offsetof(sluice_topology, has_slots), &sluice_slots_record},
};
static const sluice_record sluice_topology_record = {
  sizeof(sluice_topology), sizeof(sluice_topology_entry), offsetof(sluice_topology_entry, value), 5, sluice_topology_fields
};

/* One number of a source. */
typedef struct {
  /* What the source says about the number. */
  struct { sluice_text_entry *items; size_t count; } labels;
  /* Name of the node that it belongs to. Absent where the source does not tell. */
  sluice_text node;
  /* The number, always finite; its unit is the source's. */
  double value;
  /* When it was measured. RFC 3339, in UTC. */
  sluice_text at;
} sluice_sample;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_sample value; } sluice_sample_entry;

static const sluice_field sluice_sample_fields[] = {
  {"labels", SLUICE_TEXT_MAP, offsetof(sluice_sample, labels), SLUICE_ALWAYS, NULL},
  {"node", SLUICE_TEXT, offsetof(sluice_sample, node), SLUICE_ALWAYS, NULL},
  {"value", SLUICE_DECIMAL, offsetof(sluice_sample, value), SLUICE_ALWAYS, NULL},
  {"at", SLUICE_TEXT, offsetof(sluice_sample, at), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_sample_record = {
  sizeof(sluice_sample), sizeof(sluice_sample_entry), offsetof(sluice_sample_entry, value), 4, sluice_sample_fields
};

/* One partition of a topic, as a consumer group sees it. */
typedef struct {
  /* Name of the topic. */
  sluice_text topic;
  /* Number of the partition, from 0. */
  int64_t partition;
  /* Offset that the group has committed. Absent before its first commit. */
  bool has_committed;
  int64_t committed;
  /* Offset that the next record will get. */
  int64_t end;
  /* Records that the group has not committed yet. */
  int64_t lag;
} sluice_partition;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_partition value; } sluice_partition_entry;

static const sluice_field sluice_partition_fields[] = {
  {"topic", SLUICE_TEXT, offsetof(sluice_partition, topic), SLUICE_ALWAYS, NULL},
  {"partition", SLUICE_WHOLE, offsetof(sluice_partition, partition), SLUICE_ALWAYS, NULL},
  {"committed", SLUICE_WHOLE, offsetof(sluice_partition, committed), offsetof(sluice_partition, has_committed), NULL},
  {"end", SLUICE_WHOLE, offsetof(sluice_partition, end), SLUICE_ALWAYS, NULL},
  {"lag", SLUICE_WHOLE, offsetof(sluice_partition, lag), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_partition_record = {
  sizeof(sluice_partition), sizeof(sluice_partition_entry), offsetof(sluice_partition_entry, value), 5, sluice_partition_fields
};

/* Why the source could not be read. */
typedef struct {
  /* The fault code, such as `SourceUnavailable`. */
  sluice_text code;
  /* What happened. */
  sluice_text message;
} sluice_source_error;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_source_error value; } sluice_source_error_entry;

static const sluice_field sluice_source_error_fields[] = {
  {"code", SLUICE_TEXT, offsetof(sluice_source_error, code), SLUICE_ALWAYS, NULL},
  {"message", SLUICE_TEXT, offsetof(sluice_source_error, message), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_source_error_record = {
  sizeof(sluice_source_error), sizeof(sluice_source_error_entry), offsetof(sluice_source_error_entry, value), 2, sluice_source_error_fields
};

/* What a source said: values (`series`), nothing (`noData`) or that it failed (`error`). Exactly one
   of the three. */
typedef struct {
  /* When the source was read. RFC 3339, in UTC. */
  sluice_text at;
  /* The values; at least one. */
  struct { sluice_sample *items; size_t count; } series;
  /* Beside `series`, from sources that read Kafka: the partitions behind the values. */
  struct { sluice_partition *items; size_t count; } partitions;
  /* True if the source answered and had no value. It does not mean zero. */
  bool has_no_data;
  bool no_data;
  /* Why the source could not be read. */
  bool has_error;
  sluice_source_error error;
} sluice_observation;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_observation value; } sluice_observation_entry;

static const sluice_field sluice_observation_fields[] = {
  {"at", SLUICE_TEXT, offsetof(sluice_observation, at), SLUICE_ALWAYS, NULL},
  {"series", SLUICE_LIST, offsetof(sluice_observation, series), SLUICE_ALWAYS, &sluice_sample_record},
  {"partitions", SLUICE_LIST, offsetof(sluice_observation, partitions), SLUICE_ALWAYS, &sluice_partition_record},
  {"noData", SLUICE_FLAG, offsetof(sluice_observation, no_data), offsetof(sluice_observation, has_no_data), NULL},
  {"error", SLUICE_RECORD, offsetof(sluice_observation, error), offsetof(sluice_observation, has_error), &sluice_source_error_record},
};
static const sluice_record sluice_observation_record = {
  sizeof(sluice_observation), sizeof(sluice_observation_entry), offsetof(sluice_observation_entry, value), 5, sluice_observation_fields
};

/* What a node had, and what became of it. */
typedef struct {
  /* What it had when the pass began. */
  int64_t parallelism;
  /* What the plan wanted. Absent if the plan left the node out. */
  bool has_wanted;
  int64_t wanted;
  /* What the guardrails granted. */
  int64_t granted;
} sluice_past_node;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_past_node value; } sluice_past_node_entry;

static const sluice_field sluice_past_node_fields[] = {
  {"parallelism", SLUICE_WHOLE, offsetof(sluice_past_node, parallelism), SLUICE_ALWAYS, NULL},
  {"wanted", SLUICE_WHOLE, offsetof(sluice_past_node, wanted), offsetof(sluice_past_node, has_wanted), NULL},
  {"granted", SLUICE_WHOLE, offsetof(sluice_past_node, granted), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_past_node_record = {
  sizeof(sluice_past_node), sizeof(sluice_past_node_entry), offsetof(sluice_past_node_entry, value), 3, sluice_past_node_fields
};

/* An earlier pass. */
typedef struct {
  /* When the pass began. RFC 3339, in UTC. */
  sluice_text at;
  /* The nodes as they were, by name. */
  struct { sluice_past_node_entry *items; size_t count; } nodes;
  /* What the sources of the policy said, by the source's name. */
  struct { sluice_observation_entry *items; size_t count; } sources;
} sluice_past;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_past value; } sluice_past_entry;

static const sluice_field sluice_past_fields[] = {
  {"at", SLUICE_TEXT, offsetof(sluice_past, at), SLUICE_ALWAYS, NULL},
  {"nodes", SLUICE_MAP, offsetof(sluice_past, nodes), SLUICE_ALWAYS, &sluice_past_node_record},
  {"sources", SLUICE_MAP, offsetof(sluice_past, sources), SLUICE_ALWAYS, &sluice_observation_record},
};
static const sluice_record sluice_past_record = {
  sizeof(sluice_past), sizeof(sluice_past_entry), offsetof(sluice_past_entry, value), 3, sluice_past_fields
};

/* What every step is given. A step ignores fields that it does not know: later versions of the host
   may add some. */
typedef struct {
  /* The contract that this input follows. */
  sluice_text api;
  /* The step that is called. */
  sluice_text step;
  /* The pass that the step runs in. */
  sluice_iteration iteration;
  /* The policy that the pass is made for. */
  sluice_policy_name policy;
  /* The application as a graph, as the driver found it in this pass. */
  sluice_topology topology;
  /* What the sources of the policy said, by the source's name. */
  struct { sluice_observation_entry *items; size_t count; } sources;
  /* What the monitor step of this pass returned. Absent if there is none. */
  sluice_json monitor;
  /* What the analyze step of this pass returned. Absent if there is none. */
  sluice_json analyze;
  /* Earlier passes, newest first, as spec.knowledge.history of the policy asks; empty if it does not. */
  struct { sluice_past *items; size_t count; } history;
  /* What the algorithm returned as `carry` in its last successful pass. Absent before the first. */
  sluice_json carry;
  /* spec.algorithm.config of the policy; it fits the config schema of the algorithm. Empty if there is
     none. */
  sluice_json config;
} sluice_step_input;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_step_input value; } sluice_step_input_entry;

static const sluice_field sluice_step_input_fields[] = {
  {"api", SLUICE_TEXT, offsetof(sluice_step_input, api), SLUICE_ALWAYS, NULL},
  {"step", SLUICE_TEXT, offsetof(sluice_step_input, step), SLUICE_ALWAYS, NULL},
  {"iteration", SLUICE_RECORD, offsetof(sluice_step_input, iteration), SLUICE_ALWAYS, &sluice_iteration_record},
  {"policy", SLUICE_RECORD, offsetof(sluice_step_input, policy), SLUICE_ALWAYS, &sluice_policy_name_record},
  {"topology", SLUICE_RECORD, offsetof(sluice_step_input, topology), SLUICE_ALWAYS, &sluice_topology_record},
  {"sources", SLUICE_MAP, offsetof(sluice_step_input, sources), SLUICE_ALWAYS, &sluice_observation_record},
  {"monitor", SLUICE_JSON, offsetof(sluice_step_input, monitor), SLUICE_ALWAYS, NULL},
  {"analyze", SLUICE_JSON, offsetof(sluice_step_input, analyze), SLUICE_ALWAYS, NULL},
  {"history", SLUICE_LIST, offsetof(sluice_step_input, history), SLUICE_ALWAYS, &sluice_past_record},
  {"carry", SLUICE_JSON, offsetof(sluice_step_input, carry), SLUICE_ALWAYS, NULL},
  {"config", SLUICE_JSON, offsetof(sluice_step_input, config), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_step_input_record = {
  sizeof(sluice_step_input), sizeof(sluice_step_input_entry), offsetof(sluice_step_input_entry, value), 11, sluice_step_input_fields
};

/* What monitor and analyze return: any JSON object. The later steps of the pass are given it as
   `input.monitor` and `input.analyze`. */
typedef struct {
  /* What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON.
     The last step of a pass that returns one wins. Default: the carry stays as it was. */
  sluice_json carry;
} sluice_step_answer;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_step_answer value; } sluice_step_answer_entry;

static const sluice_field sluice_step_answer_fields[] = {
  {"carry", SLUICE_JSON, offsetof(sluice_step_answer, carry), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_step_answer_record = {
  sizeof(sluice_step_answer), sizeof(sluice_step_answer_entry), offsetof(sluice_step_answer_entry, value), 1, sluice_step_answer_fields
};

/* What each instance should have, inside `guardrails.resources` of the policy. Default, also of each
   field: it stays as it is. */
typedef struct {
  /* Processors that it requests, as a Kubernetes quantity such as `500m`. */
  sluice_text cpu;
  /* Memory that it requests, as a Kubernetes quantity such as `2Gi`; the host takes whole MiB. */
  sluice_text memory;
  /* Slots of a TaskManager. */
  bool has_slots;
  int64_t slots;
} sluice_resources;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_resources value; } sluice_resources_entry;

static const sluice_field sluice_resources_fields[] = {
  {"cpu", SLUICE_TEXT, offsetof(sluice_resources, cpu), SLUICE_ALWAYS, NULL},
  {"memory", SLUICE_TEXT, offsetof(sluice_resources, memory), SLUICE_ALWAYS, NULL},
  {"slots", SLUICE_WHOLE, offsetof(sluice_resources, slots), offsetof(sluice_resources, has_slots), NULL},
};
static const sluice_record sluice_resources_record = {
  sizeof(sluice_resources), sizeof(sluice_resources_entry), offsetof(sluice_resources_entry, value), 3, sluice_resources_fields
};

/* What is wanted for one node. Exactly one of `parallelism` and `demand`. */
typedef struct {
  /* A whole number of instances. */
  bool has_parallelism;
  int64_t parallelism;
  /* An unrounded number of instances: the host rounds it up. */
  bool has_demand;
  double demand;
  /* What each instance should have, inside `guardrails.resources` of the policy. Default, also of each
     field: it stays as it is. */
  bool has_resources;
  sluice_resources resources;
  /* Why, in one sentence for status and events. The host cuts it at 256 characters. Default: none. */
  sluice_text reason;
} sluice_wanted;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_wanted value; } sluice_wanted_entry;

static const sluice_field sluice_wanted_fields[] = {
  {"parallelism", SLUICE_WHOLE, offsetof(sluice_wanted, parallelism), offsetof(sluice_wanted, has_parallelism), NULL},
  {"demand", SLUICE_DECIMAL, offsetof(sluice_wanted, demand), offsetof(sluice_wanted, has_demand), NULL},
  {"resources", SLUICE_RECORD, offsetof(sluice_wanted, resources), offsetof(sluice_wanted, has_resources), &sluice_resources_record},
  {"reason", SLUICE_TEXT, offsetof(sluice_wanted, reason), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_wanted_record = {
  sizeof(sluice_wanted), sizeof(sluice_wanted_entry), offsetof(sluice_wanted_entry, value), 4, sluice_wanted_fields
};

/* What plan returns: what is wanted. The guardrails of the policy decide what is granted. */
typedef struct {
  /* What is wanted, by the node's name. A node that is not here stays as it is. */
  struct { sluice_wanted_entry *items; size_t count; } nodes;
  /* Seconds until the next pass, if that is sooner. Default: the interval of the policy. */
  bool has_recheck_after;
  double recheck_after;
  /* What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON.
     The last step of a pass that returns one wins. Default: the carry stays as it was. */
  sluice_json carry;
} sluice_plan;

/* An item of a map from names to these. */
typedef struct { sluice_text key; sluice_plan value; } sluice_plan_entry;

static const sluice_field sluice_plan_fields[] = {
  {"nodes", SLUICE_MAP, offsetof(sluice_plan, nodes), SLUICE_ALWAYS, &sluice_wanted_record},
  {"recheckAfter", SLUICE_DECIMAL, offsetof(sluice_plan, recheck_after), offsetof(sluice_plan, has_recheck_after), NULL},
  {"carry", SLUICE_JSON, offsetof(sluice_plan, carry), SLUICE_ALWAYS, NULL},
};
static const sluice_record sluice_plan_record = {
  sizeof(sluice_plan), sizeof(sluice_plan_entry), offsetof(sluice_plan_entry, value), 3, sluice_plan_fields
};

#endif
