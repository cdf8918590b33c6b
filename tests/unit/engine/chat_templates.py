"""Chat templates as models of each family carry them, shortened to what matters here.

Written after the templates that the makers publish with their models; parts
for tools and images are left out.
"""

_ALTERNATE = (
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}"
)

TEMPLATES: dict[str, tuple[str, str, str]] = {
    "ChatML": (
        "<|endoftext|>", "<|im_end|>",
        "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\n' + "
        "messages[0]['content'] + '<|im_end|>\n' }}{%- else %}{{- '<|im_start|>system\nYou are "
        "Qwen, created by Alibaba Cloud.<|im_end|>\n' }}{%- endif %}"
        "{%- for message in messages %}{%- if (message.role == 'user') or (message.role == "
        "'system' and not loop.first) or (message.role == 'assistant' and not message.tool_calls)"
        " %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}"
        "{%- endif %}{%- endfor %}{%- if add_generation_prompt %}"
        "{{- '<|im_start|>assistant\n' }}{%- endif %}",
    ),
    "ChatML without thinking": (
        "<|endoftext|>", "<|im_end|>",
        "{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\n' + messages[0].content"
        " + '<|im_end|>\n' }}{%- endif %}{%- for message in messages %}"
        "{%- if (message.role == 'user') or (message.role == 'system' and not loop.first) %}"
        "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}"
        "{%- elif message.role == 'assistant' %}{%- set content = message.content %}"
        "{%- if '</think>' in content %}{%- set content = content.split('</think>')[-1]"
        ".lstrip('\n') %}{%- endif %}{{- '<|im_start|>' + message.role + '\n' + content }}"
        "{{- '<|im_end|>\n' }}{%- endif %}{%- endfor %}{%- if add_generation_prompt %}"
        "{{- '<|im_start|>assistant\n' }}{%- if enable_thinking is defined and enable_thinking is "
        "false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}{%- endif %}",
    ),
    "Llama 3": (
        "<|begin_of_text|>", "<|eot_id|>",
        "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
        "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | "
        "trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
        "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    ),
    "Llama 3.1": (
        "<|begin_of_text|>", "<|eot_id|>",
        '{{- bos_token }}{%- if not date_string is defined %}{%- if strftime_now is defined %}'
        '{%- set date_string = strftime_now("%d %b %Y") %}{%- else %}{%- set date_string = '
        '"26 Jul 2024" %}{%- endif %}{%- endif %}{%- if messages[0][\'role\'] == \'system\' %}'
        "{%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}"
        '{%- else %}{%- set system_message = "" %}{%- endif %}'
        '{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}'
        '{{- "Cutting Knowledge Date: December 2023\\n" }}'
        '{{- "Today Date: " + date_string + "\\n\\n" }}{{- system_message }}{{- "<|eot_id|>" }}'
        "{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + "
        "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
        "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}"
        "{%- endif %}",
    ),
    "Gemma": (
        "<bos>", "<eos>",
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for message in messages %}" + _ALTERNATE + "{% if (message['role'] == 'assistant') %}"
        "{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
        "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
    ),
    "Mistral": (
        "<s>", "</s>",
        "{{ bos_token }}{% for message in messages %}" + _ALTERNATE +
        "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
        "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}"
        "{% endif %}{% endfor %}",
    ),
    "Mistral tight": (
        "<s>", "</s>",
        '{{- bos_token }}{%- for message in messages %}{%- if message["role"] == "system" %}'
        '{{- raise_exception("no system") }}{%- elif message["role"] == "user" %}'
        '{{- "[INST] " + message["content"] + "[/INST]" }}'
        '{%- elif message["role"] == "assistant" %}{{- " " + message["content"]|trim + eos_token}}'
        "{%- endif %}{%- endfor %}",
    ),
    "Mistral 3": (
        "<s>", "</s>",
        "{{- bos_token }}{%- for message in messages %}{%- if message['role'] == 'user' %}"
        "{{- '[INST]' + message['content'] + '[/INST]' }}{%- elif message['role'] == 'system' %}"
        "{{- '[SYSTEM_PROMPT]' + message['content'] + '[/SYSTEM_PROMPT]' }}"
        "{%- elif message['role'] == 'assistant' %}{{- message['content'] + eos_token }}"
        "{%- endif %}{%- endfor %}",
    ),
    "Llama 2": (
        "<s>", "</s>",
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
        "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = "
        "messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
        "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + "
        "system_message + '\n<</SYS>>\n\n' + message['content'] %}{% else %}"
        "{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
        "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}"
        "{% endif %}{% endfor %}",
    ),
    "Phi-3": (
        "<s>", "<|endoftext|>",
        "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + "
        "message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + "
        "message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}"
        "{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
    ),
    "Phi-4": (
        "<|endoftext|>", "<|im_end|>",
        "{% for message in messages %}{% if (message['role'] == 'system') %}"
        "{{'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'}}"
        "{% elif (message['role'] == 'user') %}{{'<|im_start|>user<|im_sep|>' + message['content']"
        " + '<|im_end|>'}}{% elif (message['role'] == 'assistant') %}"
        "{{'<|im_start|>assistant<|im_sep|>' + message['content'] + '<|im_end|>'}}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}"
        "{% endif %}",
    ),
    "Phi-4 mini": (
        "<|endoftext|>", "<|endoftext|>",
        "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message "
        "and message['tools'] is not none %}{{ '<|' + message['role'] + '|>' + message['content']"
        " + '<|tool|>' + message['tools'] + '<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + "
        "message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}",
    ),
    "Granite": (
        "<|end_of_text|>", "<|end_of_text|>",
        "{%- for message in messages %}{{- '<|start_of_role|>' + message['role'] + "
        "'<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}{%- if loop.last and "
        "add_generation_prompt %}{{- '<|start_of_role|>assistant<|end_of_role|>' }}{%- endif %}"
        "{%- endfor %}",
    ),
    "DeepSeek": (
        "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>",
        "{% set ns = namespace(system_prompt='') %}{%- for message in messages %}"
        "{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}"
        "{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}"
        "{%- if message['role'] == 'user' %}{{'<｜User｜>' + message['content']}}{%- endif %}"
        "{%- if message['role'] == 'assistant' %}{{'<｜Assistant｜>' + message['content'] + "
        "'<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor -%}"
        "{% if add_generation_prompt %}{{'<｜Assistant｜>'}}{% endif %}",
    ),
    "DeepSeek R1": (
        "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>",
        "{{bos_token}}{%- for message in messages %}{%- if message['role'] == 'system' %}"
        "{{message['content']}}{%- endif %}{%- if message['role'] == 'user' %}"
        "{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' %}"
        "{% set content = message['content'] %}{% if '</think>' in content %}{% set content = "
        "content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + "
        "'<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor -%}"
        "{% if add_generation_prompt %}{{'<｜Assistant｜><think>\\n'}}{% endif %}",
    ),
    "DeepSeek Coder": (
        "<｜begin▁of▁sentence｜>", "<|EOT|>",
        "{{ bos_token }}{%- for message in messages %}{%- if message['role'] == 'system' %}"
        "{{ message['content'] + '\n' }}{%- elif message['role'] == 'user' %}"
        "{{'### Instruction:\n' + message['content'] + '\n'}}{%- else %}"
        "{{'### Response:\n' + message['content'] + '\n<|EOT|>\n'}}{%- endif %}{%- endfor %}"
        "{{ '### Response:\n' }}",
    ),
    "Zephyr": (
        "<s>", "</s>",
        "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>\n' + "
        "message['content'] + eos_token + '\n' }}{% elif message['role'] == 'system' %}"
        "{{ '<|system|>\n' + message['content'] + eos_token + '\n' }}{% elif message['role'] == "
        "'assistant' %}{{ '<|assistant|>\n'  + message['content'] + eos_token + '\n' }}{% endif %}"
        "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
        "{% endfor %}",
    ),
    "GLM-4": (
        "", "<|endoftext|>",
        "[gMASK]<sop>{% for item in messages %}{% if item['role'] == 'system' %}<|system|>\n"
        "{{ item['content'] }}{% elif item['role'] == 'user' %}<|user|>\n{{ item['content'] }}"
        "{% elif item['role'] == 'assistant' %}<|assistant|>\n{{ item['content'] }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}",
    ),
    "Command R": (
        "<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>",
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set loop_messages = "
        "messages[1:] %}{{ '<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>' + messages[0]['content'] + "
        "'<|END_OF_TURN_TOKEN|>' }}{% else %}{% set loop_messages = messages %}{% endif %}"
        "{% for message in loop_messages %}{% set content = message['content'] %}"
        "{% if message['role'] == 'user' %}{{ '<|START_OF_TURN_TOKEN|><|USER_TOKEN|>' + "
        "content.strip() + '<|END_OF_TURN_TOKEN|>' }}{% elif message['role'] == 'assistant' %}"
        "{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>'  + content.strip() + "
        "'<|END_OF_TURN_TOKEN|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{% endif %}",
    ),
}  # fmt: skip
"""Family → (beginning, end of a sequence, template)."""
