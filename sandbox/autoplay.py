"""Fans who write, read, buy and tip by themselves, so that the demo is alive."""

import threading
from random import Random

from sandbox import people
from sandbox.state import Account, Chat
from sandbox.world import World

ACCOUNT = "acct_demo"
REGULARS = 24
PAUSE_SECONDS = (2.0, 6.0)

OPENINGS = (
    "Good morning! How was your weekend?",
    "Loved your last post, the colours were amazing.",
    "Hey, when is the next live stream?",
    "Just renewed for another month 🎉",
    "Do you have anything new from the beach shoot?",
    "Hi! Long time no talk. Hope you are well.",
    "That behind-the-scenes clip made my day 😄",
    "Is the bundle offer still on?",
    "Could you say happy birthday to my friend Sam?",
    "What camera do you use? Asking for a friend…",
)
REPLIES = (
    "Thank you so much, that means a lot!",
    "Haha, that made me smile 😊",
    "Yes please!",
    "Tell me more.",
    "I will have a look tonight after work.",
    "You are the best, thanks for writing back.",
    "Sounds great, count me in.",
    "Aww, thank you ❤️",
    "Not this week, but ask me again next month?",
    "Wow, I did not expect an answer so fast!",
)
TIP_WORDS = ("For your coffee ☕", "Keep up the great work!", "You earned it 💛", "")
TIPS_CENTS = (500, 750, 1000, 1500, 2500)


class Autoplay:
    def __init__(self, world: World):
        self._world = world
        self._random = Random()  # noqa: S311 - small talk, no secrets

    def start(self) -> None:
        threading.Thread(target=self._run, name="autoplay", daemon=True).start()

    def _run(self) -> None:
        while not self._world.stopping.wait(self._random.uniform(*PAUSE_SECONDS)):
            with self._world.lock:
                account = self._world.state.account(ACCOUNT)
                if self._world.autoplay and account.fans:
                    self._act(account)

    def _act(self, account: Account) -> None:
        waiting = [chat for chat in account.chats.values() if _was_written_to(chat)]
        if waiting and self._random.random() < 0.6:
            self._answer(account, self._random.choice(waiting))
        else:
            self._begin(account, self._someone(account))

    def _someone(self, account: Account) -> Chat:
        regulars = list(account.fans)[:REGULARS]
        return account.chat(self._random.choice(regulars))

    def _begin(self, account: Account, chat: Chat) -> None:
        if self._random.random() < 0.15:
            cents, words = self._random.choice(TIPS_CENTS), self._random.choice(TIP_WORDS)
            people.tip(self._world, account, chat, cents, words)
        else:
            people.say(self._world, account, chat, self._random.choice(OPENINGS))

    def _answer(self, account: Account, chat: Chat) -> None:
        people.open_messages(self._world, account, chat, list(chat.messages.values()))
        offer = people.newest_for_sale(chat)
        if offer and self._random.random() < 0.6:
            people.buy(self._world, account, chat, offer, offer.price)
        if self._random.random() < 0.8:
            people.say(self._world, account, chat, self._random.choice(REPLIES))


def _was_written_to(chat: Chat) -> bool:
    return bool(chat.messages) and next(reversed(chat.messages.values())).mine
